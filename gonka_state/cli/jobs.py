"""Several clusters at once: each connected, locked and looked at by itself, and asked about one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import gevent

from gonka_state.cli.looking import verifier_for
from gonka_state.core.report import Report
from gonka_state.engine.converge import Converger
from gonka_state.engine.lock import cluster_lock
from gonka_state.engine.observe import Observer
from gonka_state.engine.prune import pruning
from gonka_state.engine.session import connect
from gonka_state.engine.together import finish
from gonka_state.errors import GonkaStateError
from gonka_state.operations.table import OPERATIONS
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import ExitStack

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.engine.compare import Compared, Comparer
    from gonka_state.facts.snapshot import Section, Snapshot
    from gonka_state.operations.base import Operation
    from gonka_state.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Way:
    """What a command does otherwise than a converge.

    `refine` makes the wish more exact by the first look; None prunes. `further` are sections by host that belong to no
    kind. The kinds in `first` are looked at again before any other step runs.
    """

    refine: Callable[[Comparer, Snapshot], Comparer] | None = None
    operations: Mapping[str, Operation[Any]] = field(default_factory=lambda: OPERATIONS)
    further: Mapping[str, Sequence[Section]] = field(default_factory=dict)
    first: Collection[str] = ()


@dataclass(slots=True)
class Job:
    """One cluster's converge. `error` is why it could not begin; the other clusters go on."""

    options: Options
    desired: Desired[Resource]
    comparer: Comparer
    way: Way = field(default_factory=Way)
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
        way, wish = self.way, self.comparer.desired
        logins = {name: wish.hosts[name] for name in self.comparer.contacts()}
        whisper = self.options.whisper
        session = stack.enter_context(connect(logins, wish.run, on_event=whisper))
        lock = stack.enter_context(cluster_lock(session, wish.cluster, list(logins)))
        asked = self.comparer.asked
        observer = Observer(
            session, asked, KINDS, whisper, verifier_for(self.options, session, asked), way.further
        )
        self._snapshot = observer.look(self.comparer.hosts())
        self.comparer = (
            way.refine(self.comparer, self._snapshot)
            if way.refine
            else pruning(self.comparer, self._snapshot, self.options.select)
        )
        self._compared = self.comparer.compare(self._snapshot, seconds=time.monotonic() - self.started)
        self._converger = Converger(
            session, observer, self.comparer, way.operations, self.options.say, way.first, lock
        )

    def nothing(self) -> Report:
        """The report of a cluster on which nothing is run."""
        return Report(self.plan, (), self.plan, time.monotonic() - self.started)

    def converge(self) -> None:
        """Run the plan and look again."""
        if self._converger is None or self._snapshot is None or self._compared is None:
            raise RuntimeError("a converge before the look")
        self.report = self._converger.run(self._snapshot, self._compared)

    def look_at(self, comparer: Comparer) -> Compared:
        """Another look over the same connections, at another wish."""
        if self._converger is None:
            raise RuntimeError("another look before the first")
        observer = replace(self._converger.observer, desired=comparer.asked, kinds=comparer.kinds, further={})
        return comparer.compare(observer.look(comparer.hosts()))

    def running(self) -> list[str]:
        """The steps that run at this moment, by address."""
        return [] if self._converger is None else sorted(map(str, self._converger.running))


def side_by_side(work: Sequence[Callable[[], None]]) -> None:
    """Run all at once; returns when the last is done, raises what the first to fail raised."""
    finish([gevent.spawn(one) for one in work])
