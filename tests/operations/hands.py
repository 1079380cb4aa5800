"""Operations carried out on this machine: every script in a real sh, its answer sent back."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent, Observation
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Do, Result, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.operations.base import Commands
    from gonka_state.resources.base import Resource

HERE = Here("h", {})


def step_of(wish: Resource, action: Action, *attributes: str, seen: Observation | None = None) -> Step[Any]:
    """A change of these attributes of one resource."""
    changes = tuple(AttributeChange(name, None, None) for name in attributes)
    return Step(
        Change(Address("h", wish.kind, wish.name), action, changes), wish, seen or Absent(), HERE, Timeouts()
    )


def carry_out(
    commands: Commands,
    *,
    env: Mapping[str, str] | None = None,
    change: Callable[[str], str] = lambda script: script,
) -> list[Do]:
    """Run every command, its script changed by `change`; return them.

    Raises:
        StepError: what the operation raises, or a checked command that failed.
    """
    done: list[Do] = []
    result: Result | None = None
    while True:
        try:
            command = next(commands) if result is None else commands.send(result)
        except StopIteration:
            return done
        assert isinstance(command, Do)
        done.append(command)
        result = run_do(command, env=env, change=change)
        if command.check and result.status:
            raise StepError(f"{command.about}: {result.words}")


def run_do(
    command: Do,
    *,
    env: Mapping[str, str] | None = None,
    change: Callable[[str], str] = lambda script: script,
) -> Result:
    """One command, in a real sh."""
    ran = subprocess.run(
        ["sh", "-c", change(command.script)],
        input=command.stdin,
        env=None if env is None else dict(env),
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    return Result(ran.returncode, ran.stdout, ran.stderr)
