"""What a converge did, judged by the second look, and what each outcome means for the exit status."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from gonka_state.core.plan import NOT_SELECTED, WAITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonka_state.core.change import Change
    from gonka_state.core.plan import Plan


class ExitStatus(IntEnum):
    """One table for every command."""

    OK = 0
    ERROR = 1
    PENDING = 2
    PARTIAL = 3
    USAGE = 4
    FAILED = 5
    REFUSED = 6
    INTERRUPTED = 130


_PRECEDENCE = (
    ExitStatus.INTERRUPTED,
    ExitStatus.FAILED,
    ExitStatus.REFUSED,
    ExitStatus.USAGE,
    ExitStatus.ERROR,
    ExitStatus.PARTIAL,
    ExitStatus.PENDING,
    ExitStatus.OK,
)


def most_important(statuses: Iterable[ExitStatus]) -> ExitStatus:
    """The status that speaks for several clusters."""
    return min(statuses, key=_PRECEDENCE.index, default=ExitStatus.OK)


class Status(StrEnum):
    """The verdict on one step. `changed` only when the second look saw it."""

    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one step. `detail` speaks to the operator, `hint` says what to do next."""

    change: Change
    status: Status
    seconds: float = 0.0
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One converge: the plan that was consented to, each step's outcome, and the last look's plan.

    `stopped` is why no further step was started; empty where none was kept back.
    """

    plan: Plan
    outcomes: tuple[Outcome, ...]
    after: Plan
    seconds: float = 0.0
    stopped: str = ""

    def count(self, status: Status) -> int:
        """How many steps ended so."""
        return sum(1 for outcome in self.outcomes if outcome.status is status)


def plan_status(plan: Plan) -> ExitStatus:
    """The exit status of a look: diff and drift."""
    if plan.blind:
        return ExitStatus.ERROR
    if plan.unknown or any(looked.unknown and not looked.maintenance for looked in plan.hosts):
        return ExitStatus.PARTIAL
    return ExitStatus.PENDING if plan.pending else ExitStatus.OK


def report_status(report: Report) -> ExitStatus:
    """The exit status of a converge."""
    if report.count(Status.FAILED) or report.count(Status.UNSURE):
        return ExitStatus.FAILED
    if report.stopped:
        return ExitStatus.FAILED if report.count(Status.CHANGED) else ExitStatus.REFUSED
    if report.after.blind:
        return ExitStatus.ERROR
    if any(change.human or _refused(change) for change in report.after.pending):
        return ExitStatus.REFUSED
    return plan_status(report.after)


def _refused(change: Change) -> bool:
    """Held for its own sake: a missing consent, or a kind that says no."""
    return bool(change.held) and change.held != NOT_SELECTED and not change.held.startswith(WAITS)
