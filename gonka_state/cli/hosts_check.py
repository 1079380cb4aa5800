"""`gonka-state hosts check`: the checklist before a deployment. Nothing that writes can be imported from here."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.checklists import checked, checklist_options, tell
from gonka_state.cli.options import Options, options_of_some
from gonka_state.engine.checklist import checklist, wish
from gonka_state.engine.compare import Comparer
from gonka_state.engine.observe import Observer
from gonka_state.engine.select import full_name
from gonka_state.engine.session import connect
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from gonka_state.core.checklist import Checklist
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


@click.command("check")
@checklist_options
@click.option("--host", "hosts", multiple=True, help="Only this host; may be repeated.")
def check(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Check the way to every host and all its requirements, in one look. Never changes a host.

    Exits 0 when nothing blocks (warnings do not), 2 when something does: only a human closes that.
    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_of_some(shared)
    return tell(options, checked(options, partial(_cluster, options)))


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
