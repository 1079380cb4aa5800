"""Waiting for the chain: it tells height, peers and the time left, ends when in sync, and never waits for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.core.desired import Timeouts
from gonka_state.errors import StepError
from gonka_state.lab.standins.chainclock import rfc3339
from gonka_state.operations.base import Do, Pause, Result, Say
from gonka_state.operations.chain_sync import apply
from gonka_state.resources.chain_sync import ChainSyncResource
from tests.operations.hands import step_of

if TYPE_CHECKING:
    from collections.abc import Callable

WISH = ChainSyncResource(name="node", seed_rpc="http://seed:8000/chain-rpc/")
START = 1_795_600_000


@dataclass
class Seen:
    """What the node says at a moment; `height` None where it does not answer yet."""

    height: int | None
    behind: bool = True
    lag: int = 3600


def printed(seen: Seen, now: int) -> str:
    lines = ["#@x part container", "running 172.18.0.2", "#@x rc 0 ", "#@x part status"]
    if seen.height is None:
        lines += ["#@x rc 7 Failed to connect: Connection refused"]
    else:
        sync = {"latest_block_height": str(seen.height), "latest_block_time": rfc3339(now - seen.lag), "catching_up": seen.behind}  # fmt: skip
        said = {"result": {"sync_info": sync, "validator_info": {"pub_key": {"value": ""}}}}
        lines += [json.dumps(said), "200", "#@x rc 0 "]
    lines += ["#@x part net_info", '{"result": {"n_peers": "4"}}', "200", "#@x rc 0 "]
    lines += ["#@x part clock", str(now), "#@x rc 0 ", "#@x part seed"]
    lines += ['{"result": {"sync_info": {"latest_block_height": "1000"}}}', "200", "#@x rc 0 "]
    return "\n".join(lines)


def waited(look: Callable[[int], Seen], **timeouts: int) -> tuple[list[str], int]:
    """Carry it out with a clock that only pauses move; what it told, and how long it took."""
    step = replace(step_of(WISH, Action.UPDATE, "synced"), timeouts=Timeouts(**timeouts))
    commands, now, said = apply(step), START, list[str]()
    result = Result(0)
    command = next(commands)
    try:
        while True:
            if isinstance(command, Do):
                assert command.stdin == ""
                result = Result(0, printed(look(now - START), now))
            elif isinstance(command, Say):
                said.append(command.text)
            elif isinstance(command, Pause):
                now += int(command.seconds)
            command = commands.send(result)
    except StopIteration:
        return said, now - START


def test_it_tells_how_far_it_is_and_ends_when_it_is_there() -> None:
    def look(seconds: int) -> Seen:
        if seconds < 6:
            return Seen(None if seconds < 3 else 0)
        height = (seconds - 6) * 10
        return Seen(min(height, 1000), behind=height < 1000, lag=3600 if height < 1000 else 5)

    said, took = waited(look)

    assert 106 <= took <= 110
    assert said[0].startswith("the chain node does not answer: Failed to connect")
    assert said[2] == "catching up at block 180 of 1000, which is 60 min old, 4 peers, about 82 s left"
    assert said[-1] == f"in sync at block 1000 after {took} s, 4 peers"
    assert len(said) <= took / 10 + 2


def test_it_does_not_wait_for_ever() -> None:
    with pytest.raises(StepError, match=r"not in sync after 60 s: catching up at block 5") as failed:
        waited(lambda _: Seen(5), sync=60)

    assert "raise timeouts.sync" in failed.value.hint


def test_a_chain_that_stands_still_is_told_before_the_deadline() -> None:
    with pytest.raises(StepError, match="stands still: at block 5, which is 60 min old"):
        waited(lambda _: Seen(5, behind=False))


def test_one_that_moves_slowly_is_waited_for() -> None:
    said, took = waited(
        lambda seconds: Seen(5 + seconds // 300, behind=False, lag=3600 if seconds < 2000 else 1)
    )

    assert took >= 2000
    assert said[-1].startswith("in sync")


def test_nonsense_is_an_error_of_its_own() -> None:
    commands = apply(step_of(WISH, Action.UPDATE, "synced"))
    next(commands)

    with pytest.raises(StepError, match="cannot be understood"):
        commands.send(Result(0, "hello"))
