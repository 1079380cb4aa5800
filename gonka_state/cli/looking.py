"""The look that diff, drift and observe share: connect, ask every host once, compare."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gonka_state.engine.compare import Compared, Comparer
from gonka_state.engine.observe import Observer
from gonka_state.engine.session import connect
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource


def comparer_for(options: Options, desired: Desired[Resource], allowed: tuple[str, ...] = ()) -> Comparer:
    """The comparer of one cluster under the command line's selectors."""
    return Comparer(desired, KINDS, options.select(desired), allowed)


def look(options: Options, desired: Desired[Resource]) -> tuple[Snapshot, Compared]:
    """Look at one cluster once and compare."""
    comparer = comparer_for(options, desired)
    started = time.monotonic()
    hosts = comparer.hosts()
    logins = {name: desired.hosts[name] for name in hosts}
    with connect(logins, desired.run, on_event=options.whisper) as session:
        snapshot = Observer(session, desired, KINDS, options.whisper).look(hosts)
    return snapshot, comparer.compare(snapshot, seconds=time.monotonic() - started)
