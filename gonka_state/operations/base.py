"""What an operation is made of: it is told a step, yields what to run, and gets each answer back.

    def apply(step: Step[FileResource]) -> Commands:
        result = yield Do("install a file", SCRIPT, stdin=content)
        ...

An operation asks nothing about what to do: the change says it. It may wait and look at its own work
(a download's progress). It raises StepError with what is true now and what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from gonka_state.errors import StepError
from gonka_state.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Timeouts
    from gonka_state.core.observation import Observation
    from gonka_state.facts.here import Here

R = TypeVar("R", bound=Resource)

LOST = 255
"""The status of a command whose answer was lost, with the connection or with half of its text."""
TIMED_OUT = (124, 137)
"""Statuses of a command that was stopped at its deadline."""


@dataclass(frozen=True, slots=True)
class Do:
    """Run POSIX sh on the host, as root.

    The script travels on stdin of `sh`, never in an argument; `stdin` (content, secrets, request bodies)
    is what the script itself reads from its standard input. `deadline` is in seconds and is also
    enforced on the host. `again` allows a retry after a failure: only for what may be done twice (reads,
    pulls). With `check` a non-zero exit status is a StepError. Of all that name the same `turn`, only one
    runs on a host at a time.
    """

    about: str
    script: str
    stdin: str = field(default="", repr=False)
    deadline: int = 60
    again: bool = False
    check: bool = True
    turn: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """Run an operation of pyinfra's own, with its keyword arguments, as root."""

    about: str
    operation: Callable[..., Any]
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Say:
    """One line of progress for the operator: bytes, percent, what is waited for."""

    text: str


@dataclass(frozen=True, slots=True)
class Result:
    """What a `Do` answered."""

    status: int
    stdout: str = ""
    stderr: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether nobody knows what it did: its answer was lost, or it was stopped half-way."""
        return self.status == LOST or self.status in TIMED_OUT

    @property
    def words(self) -> str:
        """The last lines the command said, for an error message."""
        lines = [line for line in (self.stderr or self.stdout).splitlines() if line.strip()]
        return "; ".join(lines[-3:])[:500]


Command: TypeAlias = Do | Call | Pause | Say
Commands: TypeAlias = "Generator[Command, Result, None]"


@dataclass(frozen=True, slots=True)
class Step(Generic[R]):
    """One change to be made: the resource as declared, what the look saw, and what differs."""

    change: Change
    resource: R
    observation: Observation
    here: Here
    timeouts: Timeouts

    @property
    def details(self) -> Mapping[str, Any]:
        """What the look knows beyond the compared attributes; empty for an unknown."""
        return getattr(self.observation, "details", {})

    def differs(self, attribute: str) -> bool:
        """True where this attribute (or a path below it) is part of the change."""
        return any(item.name.split(".", 1)[0] == attribute for item in self.change.attributes)


Operation: TypeAlias = "Callable[[Step[R]], Commands]"


def carry_on(commands: Commands, execute: Callable[[Command], Result]) -> None:
    """Have an operation's commands executed one after the other, each result given back to it.

    Raises:
        StepError: the operation, or whoever executes, gave up.
    """
    result: Result | None = None
    while True:
        try:
            command = commands.send(result) if result is not None else next(commands)
        except StopIteration:
            return
        result = execute(command)


def fail(result: Result, what: str, hint: str = "") -> StepError:
    """A StepError from a command's own last words."""
    return StepError(f"{what}: {result.words or f'exit status {result.status}'}", hint=hint)
