"""`gonka-state cleanup`: take a deployment down, and leave what could not be had again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.carrying_out import Manner, carry_out
from gonka_state.cli.jobs import Job, Way
from gonka_state.cli.options import cluster_options, ignore_phase_option, options_of_some, output_options
from gonka_state.core.change import Effect
from gonka_state.engine.cleanup import gone, kinds_of, left
from gonka_state.engine.compare import Comparer
from gonka_state.engine.waiting import LOST_REWARD, Waiting
from gonka_state.errors import InputError
from gonka_state.facts import participation
from gonka_state.facts.base import Look
from gonka_state.facts.snapshot import Section
from gonka_state.registry import KINDS
from gonka_state.views.cleanup import Left, left_fields, render_left

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


@click.command("cleanup")
@cluster_options
@click.option("--models", is_flag=True, help="Remove the declared models too, and fetch them again one day.")
@click.option(
    "--yes-destroy",
    "confirmed",
    metavar="NAME",
    default="",
    help="The cluster's name instead of the question; for scripts.",
)
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice([LOST_REWARD]),
    help="Stop at once, and lose what this epoch, or an unclaimed one, would have earned.",
)
@ignore_phase_option
@output_options
def command(
    *,
    models: bool,
    confirmed: str,
    allowed: tuple[str, ...],
    ignore_phase: str,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """List what goes and what stays, ask for the cluster's name, take down what was deployed, look again.

    Nodes are disabled and removed first; then containers, rules and files go. Keys, chain data and the node database
    stay, so that a converge brings everything back. A cluster that takes part in an epoch is only disabled by the
    first run, which says when to run it again. PATHS must be one cluster.
    """
    options = options_of_some(shared)
    if options.as_json and not confirmed:
        raise InputError(["--json cannot ask: add --yes-destroy NAME"])
    desired = _the_one(options)
    if confirmed and confirmed != desired.cluster:
        raise InputError(
            [f"--yes-destroy {confirmed}: the cluster in {desired.file} is called {desired.cluster}"]
        )
    job = _job(options, desired, models=models, allowed=allowed, ignore_phase=ignore_phase)
    stays = [Left(item.kind, item.names, item.hosts, item.why) for item in left(desired, models=models)]
    manner = Manner(
        "cleanup",
        agreed=bool(confirmed),
        consents=_consents,
        how=f"add --yes-destroy {desired.cluster} to remove what is listed",
        whole=False,
        # What is gone now is not as declared either.
        settles=False,
        further=lambda _job: render_left(stays, options.style()),
        fields=left_fields(stays),
    )
    return carry_out(options, [job], manner)


def _the_one(options: Options) -> Desired[Resource]:
    found = options.clusters()
    if len(found) != 1:
        names = ", ".join(desired.cluster for desired in found) or "none"
        raise InputError([f"one cluster at a time is taken down, and these are {len(found)}: {names}"])
    return found[0]


def _job(
    options: Options, desired: Desired[Resource], *, models: bool, allowed: Collection[str], ignore_phase: str
) -> Job:
    wish, source = gone(desired, models=models), desired.chain
    comparer = Comparer(
        wish,
        kinds_of(KINDS, allowed),
        # Whoever types the name has read what goes.
        allowed=(Effect.DESTRUCTIVE.value, *allowed),
        ignore_phase=ignore_phase,
        amend=Waiting(wish, allowed).amend,
    )
    further = {}
    if source is not None:
        body = participation.script(source, Look())
        further = {source.host: [Section(participation.SECTION, body, wish.run.timeouts.section, root=True)]}
    way = Way(refine=_as_it_is, further=further, first=("node",))
    return Job(options, replace(desired, prune={}), comparer, way)


def _as_it_is(comparer: Comparer, snapshot: object) -> Comparer:  # noqa: ARG001 (every way's signature)
    return comparer


def _consents(job: Job, several: bool) -> bool:  # noqa: ARG001, FBT001 (every manner's signature)
    name = job.desired.cluster
    question = f"This removes what is listed. Type the cluster's name, {name}, to go on"
    answer = click.prompt(question, default="", show_default=False, err=True)
    if answer != name:
        click.echo("nothing was changed", err=True)
    return bool(answer == name)
