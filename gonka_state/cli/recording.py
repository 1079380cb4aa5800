"""What diff, drift and converge leave in the history. It never fails a command: what it cannot do it says."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gonka_state.core.history import Step
from gonka_state.core.report import Status, plan_status, report_status
from gonka_state.errors import GonkaStateError, said_by
from gonka_state.history.digest import digest, read_key
from gonka_state.history.file import history_file, key_file, opened, recorded
from gonka_state.history.read import open_now
from gonka_state.history.record import Entry, record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.core.report import Report
    from gonka_state.resources.base import Resource


def record_look(command: str, options: Options, desired: Desired[Resource], plan: Plan) -> Plan:
    """Record a look at a whole cluster; the plan with what the history knows of it.

    Of a part nothing is recorded, but what is known of it is told all the same. A diff says something of the cluster
    where it wishes what the last drift or converge did: it is also how something is tried out.
    """
    if not options.whole:
        return _remembered(plan)
    entry = Entry(command, plan, True, time.time(), plan.seconds, plan_status(plan), desired.run.history)  # noqa: FBT003 (a value's field)
    return _recorded(replace(entry, guest=command == "diff"), desired)


def record_converge(
    command: str, desired: Desired[Resource], report: Report, *, whole: bool, settles: bool
) -> None:
    """Record a run that changed something, and its last look where that was at the `whole` cluster.

    A restart `settles` nothing: what differed still does.
    """
    settled = tuple(
        str(outcome.change.address)
        for outcome in report.outcomes
        if settles and outcome.status is Status.CHANGED
    )
    entry = Entry(
        command,
        report.after,
        whole,
        time.time(),
        report.seconds,
        report_status(report),
        desired.run.history,
        steps=tuple(map(Step.of, report.outcomes)),
        settled=settled,
    )
    _recorded(entry, desired)


def _recorded(entry: Entry, desired: Desired[Resource]) -> Plan:
    try:
        file = history_file()
        with opened(file) as connection:
            wishes = _wishes(read_key(key_file(file)), desired)
            entry = replace(entry, wishes=wishes, declared=frozenset(map(str, desired.resources)))
            return replace(entry.plan, seen=record(connection, entry))
    except (GonkaStateError, OSError) as error:
        click.echo(f"not recorded: {said_by(error)}", err=True)
        return entry.plan


def _remembered(plan: Plan) -> Plan:
    try:
        file = history_file()
        if not recorded(file):
            return plan
        with opened(file) as connection:
            return replace(plan, seen=open_now(connection, plan.cluster, lab=plan.lab))
    except GonkaStateError as error:
        click.echo(f"not remembered: {error.message}", err=True)
        return plan


def _wishes(key: bytes, desired: Desired[Resource]) -> Mapping[str, str]:
    return {
        str(address): digest(key, item.resource)
        for address, item in desired.resources.items()
        if not item.withheld
    }
