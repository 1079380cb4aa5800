"""`gonka-state converge`: close the gap and look again. The only command that imports what writes."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.looking import comparer_for
from gonka_state.cli.options import Options, common_options, options_from
from gonka_state.core.change import Effect
from gonka_state.core.report import ExitStatus, Report, most_important, plan_status, report_status
from gonka_state.engine.converge import Converger
from gonka_state.engine.lock import cluster_lock
from gonka_state.engine.observe import Observer
from gonka_state.engine.session import connect
from gonka_state.errors import InputError, RefusedError
from gonka_state.operations.table import OPERATIONS
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
def command(*, yes: bool, allowed: tuple[str, ...], **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Show the plan, ask, run only what closes the gap, look again, report what is true.

    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_from(shared)
    if options.as_json and not yes:
        raise InputError(["--json cannot ask: add --yes"])
    results = [_cluster(options, desired, allowed, yes=yes) for desired in options.clusters()]
    status = most_important(status for _, status in results)
    if options.as_json:
        click.echo(machine.report_document([report for report, _ in results], status))
    return status


def _cluster(
    options: Options, desired: Desired[Resource], allowed: tuple[str, ...], *, yes: bool
) -> tuple[Report, ExitStatus]:
    comparer = comparer_for(options, desired, allowed)
    started = time.monotonic()
    hosts = comparer.hosts()
    logins = {name: desired.hosts[name] for name in hosts}
    with connect(logins, desired.run, on_event=options.whisper) as session:
        observer = Observer(session, desired, KINDS, options.whisper)
        with cluster_lock(session, desired.cluster, hosts):
            snapshot = observer.look(hosts)
            compared = comparer.compare(snapshot, seconds=time.monotonic() - started)
            nothing = Report(compared.plan, (), compared.plan, time.monotonic() - started)
            if not _show_plan(options, compared.plan):
                return nothing, report_status(nothing)
            if not _consent(yes=yes):
                return nothing, plan_status(compared.plan)
            converger = Converger(session, observer, comparer, OPERATIONS, options.say)
            try:
                report = converger.run(snapshot, compared)
            except KeyboardInterrupt:
                for address in sorted(converger.running):
                    click.echo(f"{address}: was running; the next look tells what became of it", err=True)
                raise
    if not options.as_json:
        click.echo(human.render_report(report, options.style(), verbose=options.verbose > 0))
    return report, report_status(report)


def _show_plan(options: Options, plan: Plan) -> bool:
    """Print the plan; True when there is something to run."""
    seen = [change for change in plan.runnable if not change.conditional]
    quiet = options.quiet and plan_status(plan) is ExitStatus.OK
    if not options.as_json and not quiet:
        click.echo(human.render_plan(plan, options.style(), verbose=options.verbose > 0))
    return bool(seen)


def _consent(*, yes: bool) -> bool:
    """Whether the plan may run.

    Raises:
        RefusedError: nobody can be asked and --yes was not given.
    """
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            "nothing was changed: there is no terminal to ask on", hint="add --yes to run this plan"
        )
    answer = click.prompt("Run this plan? Only 'yes' does", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo("nothing was changed", err=True)
    return bool(answer == "yes")
