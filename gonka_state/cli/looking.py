"""The look that diff, drift and observe share: connect, ask every host once, compare."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import gevent

from gonka_state.cli.recording import record_look
from gonka_state.engine.compare import Compared, Comparer
from gonka_state.engine.observe import Observer
from gonka_state.engine.prune import pruning
from gonka_state.engine.session import connect
from gonka_state.engine.verify import Verifier
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.engine.session import Session
    from gonka_state.facts.snapshot import Section, Snapshot
    from gonka_state.resources.base import Resource


def comparer_for(options: Options, desired: Desired[Resource], allowed: tuple[str, ...] = ()) -> Comparer:
    """The comparer of one cluster under the command line's selectors."""
    return Comparer(desired, KINDS, options.select(desired), allowed)


def verifier_for(options: Options, session: Session, desired: Desired[Resource]) -> Verifier | None:
    """Who reads contents as well, where the command line asks for it; it tells how far it is."""
    return Verifier(session, desired, KINDS, options.say) if options.verify_models else None


def look(
    options: Options, desired: Desired[Resource], further: Mapping[str, Sequence[Section]] | None = None
) -> tuple[Snapshot, Compared]:
    """Look at one cluster once and compare. `further` are sections, by host, that belong to no kind."""
    comparer = comparer_for(options, desired)
    started = time.monotonic()
    logins = {name: desired.hosts[name] for name in comparer.contacts()}
    with connect(logins, desired.run, on_event=options.whisper) as session:
        verifier = verifier_for(options, session, desired)
        observer = Observer(session, desired, KINDS, options.whisper, verifier, further or {})
        snapshot = observer.look(comparer.hosts())
    comparer = pruning(comparer, snapshot, options.select)
    return snapshot, comparer.compare(snapshot, seconds=time.monotonic() - started)


def look_at_all(options: Options, clusters: Sequence[Desired[Resource]], command: str) -> list[Plan]:
    """Look at several clusters at once and record it; their plans, in the order given."""
    jobs = [gevent.spawn(look, options, desired) for desired in clusters]
    gevent.joinall(jobs, raise_error=True)
    return [
        record_look(command, options, desired, job.get()[1].plan)
        for desired, job in zip(clusters, jobs, strict=True)
    ]
