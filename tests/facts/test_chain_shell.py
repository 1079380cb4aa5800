"""The own chain node: in sync only when it says so and its newest block is fresh; a node that is silent is told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look
from gonka_state.facts.chain_shell import moment, span
from gonka_state.facts.chain_sync import FACT, observe_sync
from gonka_state.facts.here import Here
from gonka_state.resources.chain_sync import ChainSyncResource

NOW = 1_795_602_936
WISH = ChainSyncResource(name="node")
HERE = Here("net", {})


def status(*, behind: bool = False, height: object = "9000000", at: str = "2026-11-25T10:35:30.25Z") -> str:
    sync = {"latest_block_height": height, "latest_block_time": at, "catching_up": behind}
    info = {"pub_key": {"type": "tendermint/PubKeyEd25519", "value": "KEY="}, "voting_power": "0"}
    return json.dumps({"result": {"sync_info": sync, "validator_info": info}})


def section(
    body: str = "", *, container: str = "running 172.18.0.6", rc: str = "0 ", answer: str = "0 "
) -> str:
    lines = ["#@x part container", container, f"#@x rc {rc}"]
    if body:
        lines += ["#@x part status", body, f"#@x rc {answer}"]
    peers = json.dumps({"result": {"n_peers": "12"}})
    lines += ["#@x part net_info", f"{peers}\n200", "#@x rc 0 ", "#@x part clock", str(NOW), "#@x rc 0 "]
    return "\n".join(lines)


def synced(text: str) -> object:
    seen = observe_sync(FACT.parse(text), WISH, HERE)
    assert isinstance(seen, Present), seen
    return seen.attributes["synced"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({}, True),
        ({"behind": True}, False),
        ({"height": "0"}, False),
        ({"at": "2026-11-25T10:34:37.000000001Z"}, True),
        ({"at": "2026-11-25T10:34:36.999999999Z"}, False),
        ({"at": "2026-11-24T10:35:30Z"}, False),
    ],
)
def test_in_sync_is_caught_up_with_a_fresh_block(words: dict[str, Any], *, expected: bool) -> None:
    assert synced(section(f"{status(**words)}\n200")) is expected


def test_a_node_tells_where_it_is() -> None:
    node = FACT.parse(section(f"{status(behind=True, at='2026-11-25T08:35:36Z')}\n200"))

    assert node.words == "catching up at block 9000000, which is 2 h old, 12 peers"
    assert node.key == "KEY="


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (section(container="", rc="1 Error: No such container: node"), Absent, "there is no chain node yet"),
        (section(container="exited"), Present, "the container of the chain node is exited"),
        (section(container="", rc="3 the Docker engine is stopped"), Unknown, "the Docker engine is stopped"),
        (section(container="", rc="127 docker is not installed"), Unknown, "docker is not installed"),
        (section("", container="running"), Unknown, "its container has no address"),
        (section("x", answer="7 Failed to connect to 172.18.0.6 port 26657: Connection refused"), Present, "refused"),
        (section("x", answer="28 Operation timed out"), Unknown, "does not answer: Operation timed out"),
        (section("Internal Server Error\n500"), Unknown, "answers 500"),
        (section("<html>\n200"), Unknown, "something else than a status"),
        (section(f"{status(height='x')}\n200"), Unknown, "something else than a status"),
        (section(f"{status(at='2026-11-25T10:35:30+02:00')}\n200"), Unknown, "something else than a status"),
    ],
)  # fmt: skip
def test_what_is_no_answer(text: str, kind: type, reason: str) -> None:
    seen = observe_sync(FACT.parse(text), WISH, HERE)

    assert type(seen) is kind
    assert reason in seen.reason


@pytest.mark.parametrize("cut", ["container", "clock"])
def test_a_section_that_was_cut_short_is_no_answer(cut: str) -> None:
    whole = section(f"{status()}\n200")
    text = whole.replace(f"#@x part {cut}", "#@x part other")

    with pytest.raises(FactError, match=f"'{cut}'"):
        FACT.parse(text)


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["result", "sync_info", "validator_info", "catching_up", "latest_block_height", "latest_block_time", "pub_key"]), inner)))  # fmt: skip
def test_whatever_json_it_answers_is_in_sync_only_for_a_reason(value: object) -> None:
    node = FACT.parse(section(f"{json.dumps(value)}\n200"))

    assert not node.synced
    assert node.problem


@given(st.integers(0, 4_000_000_000), st.integers(0, 999_999_999))
def test_the_chains_times_are_read_to_the_second(seconds: int, nanos: int) -> None:
    from datetime import UTC, datetime  # noqa: PLC0415 (for this test alone)

    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")

    assert moment(f"{text}.{nanos:09d}Z") == seconds


@pytest.mark.parametrize(
    ("seconds", "words"), [(-3, "0 s"), (119, "119 s"), (180, "3 min"), (7200, "2 h"), (1_000_000, "12 days")]
)
def test_spans(seconds: float, words: str) -> None:
    assert span(seconds) == words


def test_alone_it_takes_a_container() -> None:
    assert "node other" in FACT.standalone(container="other")
    assert "node node" in FACT.script([WISH], Look())
