"""The look that diff, drift and observe share: connect, ask every host once, compare."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import gevent

from gonka_state.cli.recording import record_look
from gonka_state.engine.again import look_again, unsure
from gonka_state.engine.compare import Compared, Comparer
from gonka_state.engine.observe import Observer
from gonka_state.engine.prune import pruning
from gonka_state.engine.session import connect
from gonka_state.engine.verify import Verifier
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.engine.session import Session
    from gonka_state.facts.snapshot import Section, Snapshot
    from gonka_state.resources.base import Resource

    Further = Mapping[str, Sequence[Section]]


def comparer_for(options: Options, desired: Desired[Resource], allowed: tuple[str, ...] = ()) -> Comparer:
    """The comparer of one cluster under the command line's selectors."""
    return Comparer(desired, KINDS, options.select(desired), allowed)


def verifier_for(options: Options, session: Session, desired: Desired[Resource]) -> Verifier | None:
    """Who reads contents as well, where the command line asks for it; it tells how far it is."""
    return Verifier(session, desired, KINDS, options.say) if options.verify_models else None


def look(
    options: Options, desired: Desired[Resource], further: Further | None = None, *, twice: bool = False
) -> tuple[Snapshot, Compared]:
    """Look at one cluster once and compare; with `twice` a second time at what stayed unknown.

    `further` are sections, by host, that belong to no kind.
    """
    comparer = comparer_for(options, desired)
    started = time.monotonic()

    def compared(snapshot: Snapshot) -> Compared:
        found = pruning(comparer, snapshot, options.select)
        return found.compare(snapshot, seconds=time.monotonic() - started)

    snapshot = _look_at(options, comparer, comparer.hosts(), further=further or {})
    first = compared(snapshot)
    hosts = unsure(desired, first.plan) if twice and desired.run.retries else []
    if not hosts:
        return snapshot, first
    options.whisper(desired.cluster, f"looking again at {', '.join(hosts)}")
    snapshot = look_again(snapshot, hosts, partial(_look_at, options, comparer, salt=snapshot.salt))
    return snapshot, compared(snapshot)


def _look_at(
    options: Options,
    comparer: Comparer,
    hosts: Collection[str],
    *,
    salt: str = "",
    further: Further = MappingProxyType({}),
) -> Snapshot:
    """Connect and look at these hosts of a cluster; `salt` is that of an earlier look, to be compared with."""
    desired = comparer.asked
    logins = {name: desired.hosts[name] for name in comparer.contacts()}
    with connect(logins, desired.run, on_event=options.whisper) as session:
        verifier = verifier_for(options, session, desired)
        observer = Observer(session, desired, KINDS, options.whisper, verifier, further)
        return (replace(observer, salt=salt) if salt else observer).look(hosts)


def look_at_all(
    options: Options, clusters: Sequence[Desired[Resource]], command: str, *, twice: bool = False
) -> list[Plan]:
    """Look at several clusters at once and record it; their plans, in the order given."""
    jobs = [gevent.spawn(look, options, desired, twice=twice) for desired in clusters]
    gevent.joinall(jobs, raise_error=True)
    return [
        record_look(command, options, desired, job.get()[1].plan)
        for desired, job in zip(clusters, jobs, strict=True)
    ]
