"""What every command shares that changes hosts: show the plans, ask about each, run what was agreed to, report."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.jobs import side_by_side
from gonka_state.cli.recording import record_converge
from gonka_state.cli.telling import tell_error
from gonka_state.core.report import ExitStatus, most_important, plan_status, report_status
from gonka_state.errors import RefusedError
from gonka_state.views import human, machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonka_state.cli.jobs import Job
    from gonka_state.cli.options import Options


@dataclass(frozen=True, slots=True)
class Manner:
    """How one command asks and tells.

    `agreed` says that the command line has given its consent; else `consents(job, several)` asks for it, and `how` says
    how to give it where there is no terminal. `looked` is told of every look, `further` are lines below a plan and
    `fields` go into the JSON document. A run that is `whole` and one that `settles` what was open are recorded as such.
    """

    command: str
    agreed: bool
    consents: Callable[[Job, bool], bool]
    how: str
    whole: bool
    settles: bool = True
    looked: Callable[[Job], None] = lambda _job: None
    further: Callable[[Job], Sequence[str]] = lambda _job: ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    run: Callable[[Job], None] = lambda job: job.converge()


def carry_out(options: Options, jobs: Sequence[Job], manner: Manner) -> int:
    """Connect, look, show, ask, run and report; the exit status of all clusters together."""
    with ExitStack() as stack:
        side_by_side([partial(job.prepare, stack) for job in jobs])
        if len(jobs) == 1 and jobs[0].error is not None:
            raise jobs[0].error
        for job in jobs:
            if job.error is None:
                manner.looked(job)
        statuses = _each(options, jobs, manner)
    status = most_important(statuses)
    if options.as_json:
        reports = [job.report for job in jobs if job.report is not None]
        click.echo(machine.report_document(reports, status, manner.fields))
    return status


def _each(options: Options, jobs: Sequence[Job], manner: Manner) -> list[ExitStatus]:
    """Show every plan, ask about each that has something to run, run those side by side, show the reports."""
    statuses: list[ExitStatus] = []
    agreed: list[Job] = []
    refused: RefusedError | None = None
    for job in jobs:
        if job.error is not None:
            tell_error(job.error)
            statuses.append(ExitStatus(job.error.exit_status))
        elif not _show_plan(options, job, manner):
            job.report = job.nothing()
            statuses.append(report_status(job.report))
        elif not (manner.agreed or _can_ask()):
            refused = RefusedError("nothing was changed: there is no terminal to ask on", hint=manner.how)
        elif manner.agreed or manner.consents(job, len(jobs) > 1):
            agreed.append(job)
        else:
            job.report = job.nothing()
            statuses.append(plan_status(job.plan))
    if refused is not None:
        raise refused
    _run(agreed, manner)
    for job in agreed:
        if job.report is not None:
            record_converge(
                manner.command, job.desired, job.report, whole=manner.whole, settles=manner.settles
            )
            if not options.as_json:
                style, verbose = options.style(), options.verbose > 0
                click.echo(human.render_report(job.report, style, verbose=verbose, command=manner.command))
            statuses.append(report_status(job.report))
    return statuses


def _run(jobs: Sequence[Job], manner: Manner) -> None:
    try:
        side_by_side([partial(manner.run, job) for job in jobs])
    except KeyboardInterrupt:
        for address in (address for job in jobs for address in job.running()):
            with suppress(OSError):
                click.echo(f"{address}: was running; the next look tells what became of it", err=True)
        raise


def _show_plan(options: Options, job: Job, manner: Manner) -> bool:
    """Print the plan; True when there is something to run."""
    plan = job.plan
    seen = [change for change in plan.runnable if not change.conditional]
    quiet = options.quiet and plan_status(plan) is ExitStatus.OK
    if not options.as_json and not quiet:
        style, verbose = options.style(), options.verbose > 0
        click.echo(human.render_plan(plan, style, verbose=verbose, further=manner.further(job)))
    return bool(seen)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def ask_yes(job: Job, several: bool) -> bool:  # noqa: FBT001 (a value of the run)
    """Whether somebody types `yes`."""
    of = f" of {job.desired.cluster}" if several else ""
    answer = click.prompt(f"Run this plan{of}? Only 'yes' does", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo("nothing was changed", err=True)
    return bool(answer == "yes")
