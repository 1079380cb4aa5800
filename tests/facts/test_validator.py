"""What the chain holds against a cluster: asked by a real curl of the lab's chain node, on the loopback address."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import validator
from gonka_state.facts.base import Look
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.ledger import Ledger
from gonka_state.lab.standins.rest import Rest
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from pathlib import Path

COLD = "gonka1cold"
EPOCH = chainclock.latest_epoch({}, 0)


def section(validators: str, epoch: str = "", summary: str = "") -> str:
    """The section as the script prints it, around these answers; each ends with its HTTP status."""
    parts = {
        "container": "running 172.18.0.6",
        "validators": validators,
        "epoch": epoch,
        "summary": summary,
        "end": "end",
    }
    return "".join(f"#@x part {name}\n{text}\n\n#@x rc 0 \n" for name, text in parts.items() if text)


def judged(height: int = 0, **summary: Any) -> validator.Standing:  # noqa: ANN401  (JSON)
    claims = EPOCH["epoch_stages"]["claim_money"]
    epoch = json.dumps({**EPOCH, "block_height": height or claims + 1000})
    told = json.dumps({"epochPerformanceSummary": {"epoch_index": "1", "participant_id": COLD, **summary}})
    return validator.parse(section('{"validators": []}\n200', f"{epoch}\n200", f"{told}\n200"))


@pytest.mark.parametrize(("jailed", "expected"), [(True, True), (False, False), (None, None)])
def test_the_own_node_tells_whether_the_validator_is_jailed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, jailed: bool | None, expected: bool | None
) -> None:
    people = {} if jailed is None else {COLD: {"jailed": jailed}}
    rest = Rest(lambda: Ledger({"participants": people}))
    rest.routes.add("GET", "/v1/epochs/latest", lambda _request: web.as_json(EPOCH))
    server = web.serve(0, rest.routes.answer)
    port = server.server_address[1]
    program = tmp_path / "docker"  # the node's address is all that is asked of it
    program.write_text("#!/bin/sh\necho running 127.0.0.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    try:
        script = validator.script(COLD, f"http://127.0.0.1:{port}", Look()).replace(":1317", f":{port}")
        found = validator.parse(run_body(script))
    finally:
        server.shutdown()
        server.server_close()

    assert (found.problem, found.jailed, found.reward, found.epoch_problem) == ("", expected, None, "")


def test_a_reward_that_waits() -> None:
    found = judged(
        rewarded_coins="5000000000", earned_coins="7", inference_count="90", missed_requests="20"
    ).reward

    assert found is not None
    assert (found.claimed, found.rewarded, found.earned, found.due) == (False, 5_000_000_000, 7, True)
    assert (found.requests, found.missed, found.epoch) == (90, 20, EPOCH["latest_epoch"]["index"] - 1)


def test_a_reward_is_due_once_the_api_had_its_time() -> None:
    claims = EPOCH["epoch_stages"]["claim_money"]

    early, late = judged(claims + validator.GRACE).reward, judged(claims + validator.GRACE + 1).reward

    assert early is not None
    assert late is not None
    assert (early.due, late.due) == (False, True)


def test_what_is_left_out_of_the_answer_is_nothing() -> None:
    found = judged(claimed=True).reward

    assert found is not None
    assert (found.claimed, found.rewarded, found.missed) == (True, 0, 0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (section("oops\n500"), "it answers 500"),
        (
            "#@x part container\n\n#@x rc 1 Error: No such container: node\n#@x part end\nend\n\n#@x rc 0 \n",
            "No such container",
        ),
    ],
)
def test_a_chain_node_that_does_not_say_is_a_problem(text: str, problem: str) -> None:
    assert problem in validator.parse(text).problem


def test_without_the_epoch_nobody_knows_of_a_reward() -> None:
    found = validator.parse(section('{"validators": []}\n200', "Bad Gateway\n502"))

    assert (found.jailed, found.reward) == (None, None)
    assert found.epoch_problem.endswith("it answers 502")


def test_an_epoch_without_the_host_has_no_reward() -> None:
    missing = '{"code": 5, "message": "not found"}\n404'

    assert (
        validator.parse(section('{"validators": []}\n200', f"{json.dumps(EPOCH)}\n200", missing)).reward
        is None
    )


def test_nonsense_is_no_answer() -> None:
    with pytest.raises(FactError, match="cannot be understood"):
        validator.parse(section('{"validators": [{"operator_address": "a"}]}\n200'))
    with pytest.raises(FactError, match="cut short"):
        validator.parse("#@x part container\nrunning\n\n#@x rc 0 \n")


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    for answer in (text, section(f"{text}\n200", f"{text}\n200", f"{text}\n200")):
        said = validator.read(HostLook({validator.SECTION: Answer(answer)}))
        assert isinstance(said, validator.Standing | str)
