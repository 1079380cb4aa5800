"""Completions as a network host asks for them, with a real curl: the ML node is the lab's, on the loopback address."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.checklist import Verdict
from gonka_state.core.desired import Declared, Desired
from gonka_state.core.observation import Note
from gonka_state.core.plan import Plan
from gonka_state.engine.criteria_performance import checks, section
from gonka_state.errors import FactError
from gonka_state.facts import completions
from gonka_state.facts.base import MARK, PRELUDE
from gonka_state.facts.completions import parse, script
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins.web import serve
from gonka_state.resources.node import NodeResource
from tests.engine.test_criteria import recorded as recorded  # noqa: PLC0414  (a fixture)
from tests.lab.test_mlnode import MODEL, Asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource


def node(port: int, name: str = "ml-01") -> NodeResource:
    where = f"http://127.0.0.1:{port}"
    return NodeResource(
        name=name, host="127.0.0.1", inference_port=port, poc_port=port, models={MODEL: {}}, management=where
    )


def asked(*questions: tuple[NodeResource, str]) -> str:
    text = f"M={MARK}a\n{PRELUDE}\n{script(list(questions))}\n"
    return subprocess.run(["sh"], input=text, capture_output=True, text=True, check=True, timeout=60).stdout


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[int]:
    """The port on which an ML node answers for its own API and for its loaded model alike."""
    ml = Asked(tmp_path)
    ml.say(load_seconds=0.3)
    assert ml.up()[0] == 200
    server = serve(0, ml.node.answer)
    yield int(server.server_address[1])
    server.shutdown()
    server.server_close()
    ml.node.engine.stop()


def test_a_node_that_serves_is_measured(serving: int) -> None:
    (found,) = parse(asked((node(serving), MODEL)), ["ml-01"])

    assert found.problem == ""
    assert 0 < found.tokens <= completions.TOKENS
    assert 0 < found.seconds < 30
    assert found.load_seconds is not None
    assert 0.2 < found.load_seconds < 30


def test_another_model_than_the_loaded_one_is_an_answer_of_its_own(serving: int) -> None:
    other = "Qwen/QwQ-32B"

    found = parse(asked((node(serving), other), (node(serving, "ml-02"), MODEL)), ["ml-01", "ml-02"])

    assert found[0].problem == "answers 404"
    assert found[1].problem == ""


def test_where_nobody_listens_is_said_in_curls_words() -> None:
    (found,) = parse(asked((node(9), MODEL)), ["ml-01"])

    assert found.problem.startswith("no answer: curl: (7)")
    assert found.load_seconds is None


@given(st.text(max_size=80))
def test_whatever_comes_back_is_understood_or_an_error(text: str) -> None:
    framed = f"{MARK}a part said ml-01\n{text.replace(MARK, '')}\n{MARK}a rc 0 \n"
    for answer in (text, framed):
        try:
            parse(answer, ["ml-01"])
        except FactError:
            continue


def test_each_node_is_asked_for_the_model_it_has_loaded(recorded: tuple[Desired[Resource], Snapshot]) -> None:
    desired, _ = recorded
    big = "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
    plan = Plan(
        "c",
        lab=True,
        hosts=(),
        changes=(),
        in_sync=0,
        notes=(Note("cluster2-network", "node", "cluster2-ml-05", "", {"model": big}),),
    )

    found = section(desired, plan, "cluster2-network")

    assert found is not None
    lines = {
        line.split("said ")[1].split("'")[0]: line
        for line in found.body.splitlines()
        if "said cluster2" in line
    }
    assert big in lines["cluster2-ml-05"]
    assert section(desired, plan, "cluster2-ml-01") is None


def one_node() -> Desired[Resource]:
    resource = node(5050)
    address = Address("h", "node", resource.name)
    return Desired("c", "f", lab=True, hosts={}, resources={address: Declared(address, resource)})


@pytest.mark.parametrize(
    ("said", "load", "verdicts"),
    [
        ("200 2.000 64", '"completed" 300.0 ', [Verdict.OK, Verdict.OK]),
        ("200 7.000 64", '900.0 "completed" ', [Verdict.FAILED, Verdict.FAILED]),
        ("200 2.000 64", '"in_progress" 3.0 ', [Verdict.OK]),
        ("200 2.000 ", "", [Verdict.FAILED]),
        ("502 0.100 ", "", [Verdict.FAILED]),
    ],
)
def test_limits_decide(said: str, load: str, verdicts: list[Verdict]) -> None:
    frames = [
        f"{MARK}a part {name} ml-01\n{text}\n{MARK}a rc 0 \n"
        for name, text in (("said", said), ("load", load))
    ]
    look = HostLook({completions.SECTION: Answer("".join(frames))})

    assert [check.verdict for check in checks(one_node(), look, "h")] == verdicts


def test_a_look_that_failed_is_one_unknown_check() -> None:
    look = HostLook({completions.SECTION: Answer("", unknown="no answer within 75 s")})

    (check,) = checks(one_node(), look, "h")

    assert (check.verdict, check.evidence) == (Verdict.UNKNOWN, "no answer within 75 s")
