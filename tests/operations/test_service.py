"""Units: in which order what is done, and what systemd is told before."""

from __future__ import annotations

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Do, Result, Step
from gonka_state.operations.service import apply
from gonka_state.resources.service import ServiceResource

TIMER = ServiceResource(
    name="a.timer", running=True, enabled=True, restart_on=("/etc/systemd/system/a.timer", "/etc/a.conf")
)
READER = ServiceResource(name="a", running=True, restart_on=("/etc/a.conf",))


def steps(wish: ServiceResource, *differs: str, status: int = 0) -> list[Do]:
    changes = tuple(AttributeChange(name, before=False, after=True) for name in differs)
    change = Change(Address("h", "service", wish.name), Action.UPDATE, changes)
    commands = apply(Step(change, wish, Present({}), Here("h", {}), Timeouts()))
    done: list[Do] = []
    try:
        command = next(commands)
        while True:
            assert isinstance(command, Do)
            done.append(command)
            command = commands.send(Result(status, "", "it says why"))
    except StopIteration:
        return done


@pytest.mark.parametrize(
    ("differs", "abouts"),
    [
        (("enabled", "running"), ["enable a.timer", "start a.timer"]),
        (("current",), ["restart a.timer"]),
        # What starts reads its files.
        (("running", "current"), ["start a.timer"]),
        (("enabled",), ["enable a.timer"]),
    ],
)
def test_only_what_differs_is_done(differs: tuple[str, ...], abouts: list[str]) -> None:
    assert [step.about for step in steps(TIMER, *differs)] == abouts


def test_systemd_reads_unit_files_again_only_where_they_are_the_units_own() -> None:
    (timer,), (reader,) = steps(TIMER, "current"), steps(READER, "current")

    assert timer.script.startswith("systemctl daemon-reload && verb=restart unit=a.timer\n")
    assert reader.script.startswith(": && verb=restart unit=a.service\n")


def test_a_restart_that_fails_is_told_with_the_units_last_words() -> None:
    with pytest.raises(StepError, match=r"a\.service did not restart") as failed:
        steps(READER, "current", status=1)
    assert "it says why" in failed.value.message
