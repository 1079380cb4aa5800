"""Several clusters at once: each connected, locked and looked at by itself, and asked about one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import gevent

from gonka_state.cli.looking import verifier_for
from gonka_state.core.report import Report
from gonka_state.engine.converge import Converger
from gonka_state.engine.lock import cluster_lock
from gonka_state.engine.observe import Observer
from gonka_state.engine.prune import pruning
from gonka_state.engine.session import connect
from gonka_state.errors import GonkaStateError
from gonka_state.operations.table import OPERATIONS
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import ExitStack

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.engine.compare import Compared, Comparer
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource


@dataclass(slots=True)
class Job:
    """One cluster's converge. `error` is why it could not begin; the other clusters go on."""

    options: Options
    desired: Desired[Resource]
    comparer: Comparer
    error: GonkaStateError | None = None
    report: Report | None = None
    started: float = field(default_factory=time.monotonic)
    _converger: Converger | None = None
    _snapshot: Snapshot | None = None
    _compared: Compared | None = None

    @property
    def plan(self) -> Plan:
        """The plan of the first look."""
        if self._compared is None:
            raise RuntimeError("a plan before the look")
        return self._compared.plan

    def prepare(self, stack: ExitStack) -> None:
        """Connect, lock and look; what was opened is closed with `stack`."""
        try:
            self._prepare(stack)
        except GonkaStateError as error:
            self.error = error

    def _prepare(self, stack: ExitStack) -> None:
        logins = {name: self.desired.hosts[name] for name in self.comparer.contacts()}
        whisper = self.options.whisper
        session = stack.enter_context(connect(logins, self.desired.run, on_event=whisper))
        stack.enter_context(cluster_lock(session, self.desired.cluster, list(logins)))
        observer = Observer(
            session, self.desired, KINDS, whisper, verifier_for(self.options, session, self.desired)
        )
        self._snapshot = observer.look(self.comparer.hosts())
        self.comparer = pruning(self.comparer, self._snapshot, self.options.select)
        self._compared = self.comparer.compare(self._snapshot, seconds=time.monotonic() - self.started)
        self._converger = Converger(session, observer, self.comparer, OPERATIONS, self.options.say)

    def nothing(self) -> Report:
        """The report of a cluster on which nothing is run."""
        return Report(self.plan, (), self.plan, time.monotonic() - self.started)

    def converge(self) -> None:
        """Run the plan and look again."""
        if self._converger is None or self._snapshot is None or self._compared is None:
            raise RuntimeError("a converge before the look")
        self.report = self._converger.run(self._snapshot, self._compared)

    def running(self) -> list[str]:
        """The steps that run at this moment, by address."""
        return [] if self._converger is None else sorted(map(str, self._converger.running))


def side_by_side(work: Sequence[Callable[[], None]]) -> None:
    """Run all at once; returns when the last is done, raises what the first to fail raised."""
    gevent.joinall([gevent.spawn(one) for one in work], raise_error=True)
