"""`gonka-state hosts check`: the checklist before a deployment. Nothing that writes can be imported from here."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import gevent

from gonka_state.cli.options import Options, cluster_options, options_of_some
from gonka_state.core.checklist import checklist_status
from gonka_state.core.report import ExitStatus, most_important
from gonka_state.engine.checklist import checklist, wish
from gonka_state.engine.compare import Comparer
from gonka_state.engine.observe import Observer
from gonka_state.engine.select import full_name
from gonka_state.engine.session import connect
from gonka_state.registry import KINDS
from gonka_state.views.checklist import checklist_document, render_checklist

if TYPE_CHECKING:
    from gonka_state.core.checklist import Checklist
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


@click.command("check")
@cluster_options
@click.option("--host", "hosts", multiple=True, help="Only this host; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md).")
@click.option("-q", "--quiet", is_flag=True, help="Only what is not ok.")
@click.option("-v", "--verbose", count=True, help="Show each host's look.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def check(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Check the way to every host and all its requirements, in one look. Never changes a host.

    Exits 0 when nothing blocks (warnings do not), 2 when something does: only a human closes that.
    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_of_some(shared)
    jobs = [gevent.spawn(_cluster, options, desired) for desired in options.clusters()]
    gevent.joinall(jobs, raise_error=True)
    found: list[Checklist] = [job.get() for job in jobs]
    status = most_important(checklist_status(item) for item in found)
    if options.as_json:
        click.echo(checklist_document(found, status))
    elif not (options.quiet and status is ExitStatus.OK):
        click.echo(
            "\n\n".join(render_checklist(item, options.style(), quiet=options.quiet) for item in found)
        )
    return status


def _cluster(options: Options, desired: Desired[Resource]) -> Checklist:
    chosen = {full_name(desired, host) for host in options.hosts}
    hosts = {name: login for name, login in desired.hosts.items() if not chosen or name in chosen}
    wished = wish(replace(desired, chain=None))
    comparer = Comparer(wished.judged, KINDS, wished.addresses)
    started = time.monotonic()
    with connect(hosts, desired.run, on_event=options.whisper) as session:
        snapshot = Observer(session, wished.asked, KINDS, options.whisper).look(list(hosts))
    compared = comparer.compare(snapshot)
    return checklist(wished, snapshot, compared, seconds=time.monotonic() - started)
