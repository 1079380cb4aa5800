"""`gonka-state converge`: close the gap and look again. The only command that imports what writes."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.jobs import Job, side_by_side
from gonka_state.cli.looking import comparer_for
from gonka_state.cli.options import Options, common_options, options_from
from gonka_state.cli.recording import record_converge, record_look
from gonka_state.cli.telling import tell_error
from gonka_state.core.change import Effect
from gonka_state.core.report import ExitStatus, most_important, plan_status, report_status
from gonka_state.errors import InputError, RefusedError
from gonka_state.registry import KINDS
from gonka_state.views import human, machine

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.resources.base import Resource

CONSENTS = (
    Effect.DESTRUCTIVE.value,
    *sorted({kind.resource.consent for kind in KINDS.values() if kind.resource.consent}),
)


@click.command("converge")
@common_options
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice(CONSENTS),
    help="Let steps run that cannot be taken back, each by its name; may be repeated.",
)
@click.option(
    "--throttle",
    type=click.IntRange(min=1),
    help="Launch so many ML nodes at once (run.throttle); of a cluster that serves always one.",
)
@click.option(
    "--ignore-phase",
    metavar="REASON",
    default="",
    help="Disturb a serving cluster whatever the chain is doing; the reason is printed in the report.",
)
def command(
    *,
    yes: bool,
    allowed: tuple[str, ...],
    throttle: int | None,
    ignore_phase: str,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Show the plan, ask, run only what closes the gap, look again, report what is true.

    PATHS are cluster files or directories; none means every cluster in ./desired. Several clusters are
    worked on at once, each with its own plan and its own consent.
    """
    options = options_from(shared)
    if options.as_json and not yes:
        raise InputError(["--json cannot ask: add --yes"])
    clusters = [_throttled(desired, throttle) for desired in options.clusters()]
    jobs = [
        Job(options, desired, replace(comparer_for(options, desired, allowed), ignore_phase=ignore_phase))
        for desired in clusters
    ]
    with ExitStack() as stack:
        side_by_side([partial(job.prepare, stack) for job in jobs])
        if len(jobs) == 1 and jobs[0].error is not None:
            raise jobs[0].error
        for job in jobs:
            if job.error is None:
                record_look("converge", options, job.desired, job.plan)
        statuses = _carry_out(options, jobs, yes=yes)
    status = most_important(statuses)
    if options.as_json:
        reports = [job.report for job in jobs if job.report is not None]
        click.echo(machine.report_document(reports, status))
    return status


def _throttled(desired: Desired[Resource], throttle: int | None) -> Desired[Resource]:
    return desired if throttle is None else replace(desired, run=replace(desired.run, throttle=throttle))


def _carry_out(options: Options, jobs: list[Job], *, yes: bool) -> list[ExitStatus]:
    """Show every plan, ask about each that has something to run, run those side by side, show the reports."""
    statuses: list[ExitStatus] = []
    agreed: list[Job] = []
    refused: RefusedError | None = None
    for job in jobs:
        if job.error is not None:
            tell_error(job.error)
            statuses.append(ExitStatus(job.error.exit_status))
        elif not _show_plan(options, job.plan):
            job.report = job.nothing()
            statuses.append(report_status(job.report))
        elif not (yes or _can_ask()):
            refused = RefusedError(
                "nothing was changed: there is no terminal to ask on", hint="add --yes to run this plan"
            )
        elif yes or _consents(job, several=len(jobs) > 1):
            agreed.append(job)
        else:
            job.report = job.nothing()
            statuses.append(plan_status(job.plan))
    if refused is not None:
        raise refused
    _run(agreed)
    for job in agreed:
        if job.report is not None:
            record_converge(options, job.desired, job.report)
            if not options.as_json:
                click.echo(human.render_report(job.report, options.style(), verbose=options.verbose > 0))
            statuses.append(report_status(job.report))
    return statuses


def _run(jobs: list[Job]) -> None:
    try:
        side_by_side([job.converge for job in jobs])
    except KeyboardInterrupt:
        for address in (address for job in jobs for address in job.running()):
            click.echo(f"{address}: was running; the next look tells what became of it", err=True)
        raise


def _show_plan(options: Options, plan: Plan) -> bool:
    """Print the plan; True when there is something to run."""
    seen = [change for change in plan.runnable if not change.conditional]
    quiet = options.quiet and plan_status(plan) is ExitStatus.OK
    if not options.as_json and not quiet:
        click.echo(human.render_plan(plan, options.style(), verbose=options.verbose > 0))
    return bool(seen)


def _can_ask() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _consents(job: Job, *, several: bool) -> bool:
    of = f" of {job.desired.cluster}" if several else ""
    answer = click.prompt(f"Run this plan{of}? Only 'yes' does", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo("nothing was changed", err=True)
    return bool(answer == "yes")
