"""`gonka-state converge`: close the gap and look again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.carrying_out import Manner, ask_yes, carry_out
from gonka_state.cli.jobs import Job
from gonka_state.cli.looking import comparer_for
from gonka_state.cli.options import (
    Options,
    common_options,
    ignore_phase_option,
    options_from,
    throttle_option,
)
from gonka_state.cli.recording import record_look
from gonka_state.core.change import Effect
from gonka_state.errors import InputError
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
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
@throttle_option
@ignore_phase_option
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
    clusters = [throttled(desired, throttle) for desired in options.clusters()]
    jobs = [
        Job(options, desired, replace(comparer_for(options, desired, allowed), ignore_phase=ignore_phase))
        for desired in clusters
    ]
    manner = Manner(
        "converge", yes, ask_yes, "add --yes to run this plan", options.whole,
        looked=lambda job: _record(options, job),
    )  # fmt: skip
    return carry_out(options, jobs, manner)


def _record(options: Options, job: Job) -> None:
    record_look("converge", options, job.desired, job.plan)


def throttled(desired: Desired[Resource], throttle: int | None) -> Desired[Resource]:
    """The wish with the command line's own limit."""
    return desired if throttle is None else replace(desired, run=replace(desired.run, throttle=throttle))
