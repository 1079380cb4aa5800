"""`gonka-state restart`: a service, or all, host after host, each healthy before the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.carrying_out import Manner, ask_yes, carry_out
from gonka_state.cli.converge import throttled
from gonka_state.cli.jobs import Job, Way
from gonka_state.cli.options import (
    cluster_options,
    ignore_phase_option,
    options_of_some,
    output_options,
    throttle_option,
)
from gonka_state.engine.compare import Comparer
from gonka_state.engine.restart import enabled, of_service, rolling
from gonka_state.errors import InputError
from gonka_state.facts.node_observed import API
from gonka_state.operations.table import RESTARTS
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared
    from gonka_state.resources.base import Resource


@click.command("restart")
@click.argument("service", required=False)
@cluster_options
@click.option("--all", "everything", is_flag=True, help="Every declared service; then no SERVICE is named.")
@click.option("--host", "hosts", multiple=True, help="Only on this host; may be repeated.")
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
@throttle_option
@ignore_phase_option
@output_options
def command(
    *,
    service: str | None,
    everything: bool,
    yes: bool,
    throttle: int | None,
    ignore_phase: str,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Show what would restart, ask, restart it host after host, and see that it started and is healthy.

    SERVICE is a declared compose service, such as api or mlnode-308. The network host comes first; of a cluster that
    serves one ML node restarts at a time, and when the chain allows. One that does not come back stops the others.
    """
    if everything and service is not None:
        shared["paths"] = (Path(service), *shared["paths"])
        service = None
    options = options_of_some(shared)
    _check(options, service, everything=everything, yes=yes)
    clusters = options.clusters()
    whole = {desired.cluster: desired for desired in clusters}
    jobs = [
        Job(
            options,
            wish,
            Comparer(throttled(wish, throttle), KINDS, ignore_phase=ignore_phase),
            Way(refine=rolling, operations=RESTARTS),
        )
        for wish in of_service(clusters, service, options.hosts)
    ]
    manner = Manner(
        "restart",
        yes,
        ask_yes,
        "add --yes to restart this",
        whole=False,
        settles=False,
        run=lambda job: _run(job, whole[job.desired.cluster]),
    )
    return carry_out(options, jobs, manner)


def _check(options: Options, service: str | None, *, everything: bool, yes: bool) -> None:
    if options.as_json and not yes:
        raise InputError(["--json cannot ask: add --yes"])
    if service is None and not everything:
        raise InputError(["name a service, or --all"], hint="gonka-state restart api desired/cluster2.yaml")
    if service is not None and Path(service).suffix in {".yaml", ".yml"}:
        raise InputError(
            [f"{service} is a file: name a service before it, or --all"],
            hint=f"gonka-state restart api {service}",
        )


def _run(job: Job, desired: Desired[Resource]) -> None:
    """Restart; where an Admin API is among it, see what it forgot of its nodes."""
    apis = {change.address.host for change in job.plan.runnable if change.address.name == API}
    resources = {address: item for address, item in desired.resources.items() if address.kind == "node"}
    nodes = Comparer(replace(desired, resources=resources, prune={}), KINDS)
    asks = bool(apis & {address.host for address in resources})
    before = enabled(job.look_at(nodes)) if asks else {}
    job.converge()
    if asks:
        _tell(job, before, job.look_at(nodes))


def _tell(job: Job, before: dict[str, bool], now: Compared) -> None:
    """An API that starts enables every node again, and nothing but the YAML remembers."""
    say, after = job.options.say, enabled(now)
    where = f"{job.desired.cluster}/{API}"
    for name, was in sorted(before.items()):
        if name not in after:
            say(where, f"node {name} is no longer to be seen: gonka-state diff --kind node")
        elif after[name] is not was:
            say(
                where,
                f"node {name} was {'enabled' if was else 'disabled'} before its restart, and is not any more",
            )
    pending = [change.address.name for change in now.plan.pending]
    if pending:
        say(where, f"{', '.join(pending)} differ: gonka-state converge --kind node {job.desired.file}")
    else:
        say(where, f"its {len(after)} nodes are as declared")
