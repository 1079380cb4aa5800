"""`gonka-state diff`: what differs, live or from a snapshot."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import Options, common_options, options_from
from gonka_state.core.report import ExitStatus, most_important, plan_status
from gonka_state.core.units import human_age, parse_since, show_moment
from gonka_state.errors import InputError, said_by
from gonka_state.views import human, machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.plan import Plan


@click.command("diff")
@common_options
@click.option(
    "--observed", type=click.Path(path_type=Path), help="Compare with this snapshot; connects nowhere."
)
@click.option("--unmanaged", is_flag=True, help="List what nobody declared.")
@click.option("--exit-zero", is_flag=True, help="Exit 0 instead of 2 when changes are pending.")
def command(observed: Path | None, *, unmanaged: bool, exit_zero: bool, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Show what differs between the YAML and the hosts. Never changes a host.

    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_from(shared)
    plans, further = _offline(options, observed) if observed else (_live(options), [])
    status = most_important(plan_status(plan) for plan in plans)
    if exit_zero and status is ExitStatus.PENDING:
        status = ExitStatus.OK
    show_plans(options, plans, status, unmanaged=unmanaged, further=further)
    return status


def _live(options: Options) -> list[Plan]:
    clusters = options.clusters()
    from gonka_state.cli.looking import look_at_all  # noqa: PLC0415 (an offline diff never loads the SSH stack)

    return look_at_all(options, clusters, "diff")


def _offline(options: Options, observed: Path) -> tuple[list[Plan], list[str]]:
    """The plans, and the lines that say how old what they were made from is."""
    from gonka_state.engine.compare import Comparer  # noqa: PLC0415 (as above, the other way round)
    from gonka_state.engine.prune import pruning  # noqa: PLC0415
    from gonka_state.facts.snapshot import restore  # noqa: PLC0415
    from gonka_state.registry import KINDS  # noqa: PLC0415

    try:
        snapshot = restore(observed.read_text(encoding="utf-8"), str(observed))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"{observed} cannot be read: {said_by(error)}"]) from error
    clusters = [desired for desired in options.clusters() if desired.cluster == snapshot.cluster]
    if not clusters:
        raise InputError(
            [f"{observed} is a snapshot of {snapshot.cluster}, which is not among the YAML given"]
        )
    comparers = [Comparer(desired, KINDS, options.select(desired)) for desired in clusters]
    plans = [pruning(comparer, snapshot, options.select).compare(snapshot).plan for comparer in comparers]
    return plans, ["", f"as it was {_when(snapshot.taken)}"]


def _when(taken: str) -> str:
    moment = parse_since(taken, 0)
    return f"{human_age(time.time() - moment)} ago, {show_moment(moment)}"


def show_plans(
    options: Options,
    plans: list[Plan],
    status: ExitStatus,
    *,
    unmanaged: bool = False,
    further: Sequence[str] = (),
) -> None:
    """Print plans in the form asked for; quiet prints nothing when there is nothing to say.

    `further` lines stand before each one's summary.
    """
    if options.as_json:
        click.echo(machine.plan_document(plans, status))
        return
    quiet_status = most_important(plan_status(plan) for plan in plans)
    if options.quiet and quiet_status is ExitStatus.OK and not unmanaged:
        return
    texts = [
        human.render_plan(
            plan, options.style(), unmanaged=unmanaged, verbose=options.verbose > 0, further=further
        )
        for plan in plans
    ]
    click.echo("\n\n".join(texts))
