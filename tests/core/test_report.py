"""Exit statuses: one table, one precedence, for every command."""

from __future__ import annotations

import itertools

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.plan import NOT_SELECTED, HostLooked, Plan
from gonka_state.core.report import (
    ExitStatus,
    Outcome,
    Report,
    Status,
    most_important,
    plan_status,
    report_status,
)

AT = Address("h", "file", "/a")
UPDATE = Change(AT, Action.UPDATE)
UNKNOWN = Change(AT, Action.UNKNOWN)
HELD = Change(AT, Action.UPDATE, held="waits for h/file:/b, which is unknown")
NEEDS_ALLOW = Change(AT, Action.DELETE, held="needs --allow destructive")
REFUSED = Change(AT, Action.UPDATE, held="would cut off this SSH connection")
NOT_CHOSEN = Change(AT, Action.UPDATE, held=NOT_SELECTED)
HUMAN = Change(AT, Action.UPDATE, human=True)
WARNING = Change(AT, Action.UPDATE, human=True, warning=True)

# As the manual says it: 130 > 5 > 6 > 1 > 3 > 2 > 0; a usage error ends a run before any of them.
PRECEDENCE = [130, 5, 6, 4, 1, 3, 2, 0]


def plan(*changes: Change, off: int = 0, on: int = 1) -> Plan:
    hosts = [HostLooked(f"on-{i}") for i in range(on)] + [
        HostLooked(f"off-{i}", unknown="off") for i in range(off)
    ]
    return Plan("c", lab=True, hosts=tuple(hosts), changes=changes, in_sync=0)


@pytest.mark.parametrize(("first", "second"), list(itertools.product(ExitStatus, repeat=2)))
def test_the_more_important_status_speaks_for_both(first: ExitStatus, second: ExitStatus) -> None:
    assert most_important([first, second]) == min(first, second, key=PRECEDENCE.index)


def test_nothing_looked_at_is_fine() -> None:
    assert most_important([]) is ExitStatus.OK


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (plan(), ExitStatus.OK),
        (plan(WARNING), ExitStatus.OK),
        (plan(UPDATE), ExitStatus.PENDING),
        (plan(HELD), ExitStatus.PENDING),
        (plan(NEEDS_ALLOW), ExitStatus.PENDING),
        (plan(HUMAN), ExitStatus.PENDING),
        (plan(UNKNOWN), ExitStatus.PARTIAL),
        (plan(UPDATE, UNKNOWN), ExitStatus.PARTIAL),
        (plan(off=1), ExitStatus.PARTIAL),
        (plan(UPDATE, off=1), ExitStatus.PARTIAL),
        (plan(UPDATE, off=1, on=0), ExitStatus.ERROR),
        (plan(on=0), ExitStatus.OK),
    ],
)
def test_a_look_says(seen: Plan, status: ExitStatus) -> None:
    assert plan_status(seen) is status


@pytest.mark.parametrize(
    ("outcome", "after", "status"),
    [
        (Status.CHANGED, plan(), ExitStatus.OK),
        (Status.CHANGED, plan(UPDATE), ExitStatus.PENDING),
        (Status.CHANGED, plan(off=1), ExitStatus.PARTIAL),
        (Status.CHANGED, plan(UNKNOWN), ExitStatus.PARTIAL),
        (Status.CHANGED, plan(HUMAN), ExitStatus.REFUSED),
        (Status.CHANGED, plan(NEEDS_ALLOW), ExitStatus.REFUSED),
        (Status.CHANGED, plan(REFUSED), ExitStatus.REFUSED),
        (Status.CHANGED, plan(NOT_CHOSEN), ExitStatus.PENDING),
        (Status.CHANGED, plan(HELD, UNKNOWN), ExitStatus.PARTIAL),
        (Status.CHANGED, plan(NEEDS_ALLOW, off=1), ExitStatus.REFUSED),
        (Status.SKIPPED, plan(UPDATE), ExitStatus.PENDING),
        (Status.FAILED, plan(), ExitStatus.FAILED),
        (Status.UNSURE, plan(UNKNOWN), ExitStatus.FAILED),
        (Status.FAILED, plan(HUMAN, off=1), ExitStatus.FAILED),
        (Status.FAILED, plan(off=1, on=0), ExitStatus.FAILED),
        (Status.CHANGED, plan(off=1, on=0), ExitStatus.ERROR),
    ],
)
def test_a_converge_says(outcome: Status, after: Plan, status: ExitStatus) -> None:
    report = Report(plan(UPDATE), (Outcome(UPDATE, outcome),), after)

    assert report_status(report) is status


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), ExitStatus.REFUSED),
        ((Status.SKIPPED,), ExitStatus.REFUSED),
        ((Status.CHANGED, Status.SKIPPED), ExitStatus.FAILED),
        ((Status.FAILED,), ExitStatus.FAILED),
    ],
)
def test_a_converge_that_was_stopped_says_whether_it_had_changed_anything(
    outcomes: tuple[Status, ...], status: ExitStatus
) -> None:
    done = tuple(Outcome(UPDATE, outcome) for outcome in outcomes)

    assert report_status(Report(plan(UPDATE), done, plan(off=1, on=0), stopped="the lock")) is status


def test_outcomes_are_counted() -> None:
    outcomes = tuple(Outcome(UPDATE, status) for status in (Status.CHANGED, Status.CHANGED, Status.SKIPPED))

    report = Report(plan(), outcomes, plan())

    assert {status: report.count(status) for status in Status if report.count(status)} == {
        Status.CHANGED: 2,
        Status.SKIPPED: 1,
    }
