"""Every error an operator can meet, as one tree.

    GonkaStateError            1   something expected went wrong; says what and what to do
    ├── InputError             4   the YAML or the command line is wrong; all problems at once
    ├── RefusedError           6   a gate, a lock or a missing consent said no
    ├── FactError              3   what a host answered could not be understood
    ├── StepError              5   a command on a host did not do its work
    └── LabError               1   the rehearsal lab could not be built, booted or taken down

The number is the exit status the command line gives when the error ends a command.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class GonkaStateError(Exception):
    """An expected failure: `message` says where and what, `hint` what to do next."""

    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(GonkaStateError):
    """Input that was refused before any host was touched; carries every problem found."""

    exit_status = 4

    def __init__(self, problems: Sequence[str], *, hint: str = "") -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = tuple(problems)


class RefusedError(GonkaStateError):
    """Something that may not run now: consent, lock, gate."""

    exit_status = 6


class FactError(GonkaStateError):
    """A section of a look that cannot be parsed; the resources that need it become unknown."""

    exit_status = 3


class StepError(GonkaStateError):
    """A step that failed on its host; its dependants are skipped."""

    exit_status = 5


class LabError(GonkaStateError):
    """The lab could not do what was asked."""


def said_by(error: Exception) -> str:
    """What an exception of the system says, without its number and without the file that is named anyway."""
    return str(getattr(error, "strerror", None) or error)
