"""Hosts and nodes in maintenance: told, never touched, and no news for cron, until the day has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.core.report import ExitStatus, plan_status, report_status
from gonka_state.facts.snapshot import HostLook
from tests.engine.test_compare import changes, snapshot

if TYPE_CHECKING:
    from tests.engine.conftest import Paper

TAKEN = datetime(2026, 11, 24, tzinfo=UTC)
LATER, NOW = TAKEN + timedelta(seconds=1), datetime.now(UTC)


def test_what_differs_on_a_host_in_maintenance_is_told_and_not_pending(paper: Paper) -> None:
    paper.note("network", "other", "x")
    paper.note("ml-01", "here")
    paper.maintain("ml-01", ends=LATER)

    plan = paper.comparer().compare(snapshot({"network": {"other": "x"}, "ml-01": {}})).plan

    (change,) = plan.changes
    assert (change.action, change.maintenance) == (Action.CREATE, "in maintenance until then: new disks")
    assert (plan.pending, plan.runnable, plan.maintained) == ((), (), (change,))
    assert plan_status(plan) is ExitStatus.OK


@pytest.mark.parametrize("everything", [False, True])
def test_a_host_in_maintenance_may_be_off(paper: Paper, everything: bool) -> None:  # noqa: FBT001 (a parameter of the test)
    paper.note("ml-01", "here")
    paper.maintain("ml-01", ends=LATER)
    if everything:
        paper.note("network", "other", "x")
        paper.maintain("network", ends=LATER)
    off = HostLook(unknown="is off", hint="switch it on")

    plan = paper.comparer().compare(snapshot({"network": off if everything else {}, "ml-01": off})).plan

    assert plan_status(plan) is ExitStatus.OK
    assert plan.unknown == ()
    assert plan.hosts[1].maintenance


def test_other_hosts_that_are_off_still_count(paper: Paper) -> None:
    paper.note("ml-01", "here")
    paper.note("network", "other")
    paper.maintain("ml-01", ends=LATER)

    plan = paper.comparer().compare(snapshot({"network": HostLook(unknown="is off"), "ml-01": {}})).plan

    assert plan_status(plan) is ExitStatus.ERROR  # nobody whose answer counts gave one


def test_after_the_day_it_is_drift_again(paper: Paper) -> None:
    paper.note("ml-01", "here")
    paper.maintain("ml-01", ends=TAKEN)

    plan = paper.comparer().compare(snapshot({"network": {}, "ml-01": {}})).plan

    assert len(plan.runnable) == 1
    assert plan_status(plan) is ExitStatus.PENDING


def test_what_needs_it_waits_only_where_it_differs(paper: Paper) -> None:
    first, second = paper.note("ml-01", "first", "x"), paper.note("ml-01", "second", "x")
    paper.maintain("ml-01", first, second, ends=LATER)
    paper.note("network", "one", needs=(str(first),))
    paper.note("network", "two", needs=(str(second),))

    found = changes(paper.comparer().compare(snapshot({"network": {}, "ml-01": {"first": "x"}})).plan)

    assert found["network/note:one"].runnable
    assert found["network/note:two"].held == "waits for ml-01/note:second, which is in maintenance"


def test_in_sync_it_follows_nothing(paper: Paper) -> None:
    paper.note("network", "n", "new")
    copy = paper.copy("network", "c", "n")
    paper.maintain("network", copy, ends=LATER)

    found = changes(
        paper.comparer().compare(snapshot({"network": {"n": "old", "copy-c": "old"}, "ml-01": {}})).plan
    )

    assert found.keys() == {"network/note:n"}


def test_a_converge_leaves_it_alone_and_is_done(paper: Paper) -> None:
    paper.note("network", "other")
    paper.note("ml-01", "here")
    paper.maintain("ml-01", ends=NOW + timedelta(hours=1))

    report = paper.converge()

    assert report_status(report) is ExitStatus.OK
    assert (paper.read("network", "other"), paper.read("ml-01", "here")) == ("text", None)
