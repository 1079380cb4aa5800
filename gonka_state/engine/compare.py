"""A wish and a snapshot become a plan. Pure: the same for a live look and an old one, without pyinfra."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gonka_state.core.change import Action, Change
from gonka_state.core.gates import Gates
from gonka_state.core.observation import OBSERVE_AGAIN, Note, Observation, Unknown, Unmanaged
from gonka_state.core.plan import NOT_SELECTED, WAITS, HostLooked, Plan, settle
from gonka_state.engine.judge import HostJudge
from gonka_state.engine.needs import edges
from gonka_state.facts import chain_phase
from gonka_state.facts.here import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.chain import Chain
    from gonka_state.core.desired import Declared, Desired, Maintenance
    from gonka_state.core.order import Edge
    from gonka_state.facts.snapshot import HostLook, Snapshot
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan with what it was made from, for those who carry it out. `strays` are what pruning added to the wish."""

    plan: Plan
    observations: Mapping[Address, Observation]
    changes: Mapping[Address, Change]
    strays: tuple[Declared[Resource], ...] = ()


def _as_judged(snapshot: Snapshot, changes: Mapping[Address, Change]) -> Mapping[Address, Change]:  # noqa: ARG001 (a command's own sees both)
    return changes


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares one wish with any number of looks. `selected` limits what is planned, None means all.

    `amend` is what a command knows beyond the kinds: it gets every change before order and gates.
    """

    desired: Desired[Resource]
    kinds: Mapping[str, Kind[Any, Any]]
    selected: Collection[Address] | None = None
    allowed: Collection[str] = ()
    ignore_phase: str = ""
    amend: Callable[[Snapshot, Mapping[Address, Change]], Mapping[Address, Change]] = field(
        default=_as_judged
    )
    needs: Mapping[Address, Sequence[Edge]] = field(init=False)
    asked: Desired[Resource] = field(init=False)
    """The wish as far as hosts are asked about it: where nothing is selected, only what is needed elsewhere."""

    def __post_init__(self) -> None:
        """What follows from the wish and the selection alone: once for every look and round of a run."""
        object.__setattr__(self, "needs", edges(self.desired, self.kinds))
        object.__setattr__(self, "asked", self._asked())

    def _asked(self) -> Desired[Resource]:
        if self.selected is None:
            return self.desired
        own = self._own()
        needed = {edge.on for address in self.selected for edge in self.needs.get(address, ())}
        resources = {a: d for a, d in self.desired.resources.items() if a.host in own or a in needed}
        return replace(self.desired, resources=resources)

    def _own(self) -> set[str]:
        """The hosts of which something is selected."""
        if self.selected is None:
            return set(self.desired.hosts)
        return {address.host for address in self.selected}

    def here(self, host: str, look: HostLook | None = None, silent: Collection[str] = ()) -> Here:
        """What a kind may know about a host."""
        peer, skew = ("", None) if look is None else (look.peer, look.skew)
        declared = [item.resource for address, item in self.desired.resources.items() if address.host == host]
        addresses = {name: login.address for name, login in self.desired.hosts.items()}
        return Here(host, addresses, peer, declared, silent, skew)

    def contacts(self) -> list[str]:
        """The hosts to connect to: those to be looked at, and the one that knows the phase of the chain."""
        return self.desired.contacts(self.hosts())

    def chain(self, snapshot: Snapshot) -> Chain | None:
        """What the chain was doing at this look; None where there is none to ask."""
        source = self.desired.chain
        return None if source is None else chain_phase.read(snapshot.hosts.get(source.host))

    def compare(self, snapshot: Snapshot, *, seconds: float = 0.0) -> Compared:
        """Judge every declared resource; hosts that are not in the snapshot are unknown."""
        observations: dict[Address, Observation] = {}
        changes: dict[Address, Change] = {}
        unmanaged: list[Unmanaged] = []
        notes: list[Note] = []
        silent = frozenset(host for host, look in snapshot.hosts.items() if look.unknown)
        own = self._own()
        for host in self.hosts():
            look = snapshot.hosts.get(host)
            declared = {a: d for a, d in self.asked.resources.items() if a.host == host}
            seen = HostJudge(self.kinds, look, declared, self.here(host, look, silent))
            for address, item in declared.items():
                change, observations[address] = seen.judge(item)
                skip = change.pending and not self._selects(address)
                changes[address] = replace(change, held=NOT_SELECTED) if skip else change
            refused = seen.refusals()
            changes.update(
                {a: replace(changes[a], held=why) for a, why in refused.items() if changes[a].pending}
            )
            changes.update(
                {a: replace(changes[a], maintenance=str(d.maintenance), held="", hint="")
                 for a, d in declared.items() if _in_force(d.maintenance, snapshot)}
            )  # fmt: skip
            if host in own:
                unmanaged.extend(seen.unmanaged())
                notes.extend(seen.notes())
        amended = self.amend(snapshot, changes)
        plan = self._plan(snapshot, amended, observations, unmanaged, seconds)
        strays = tuple(
            d for a, d in self.desired.resources.items() if d.why and a in amended and self._selects(a)
        )
        return Compared(replace(plan, notes=tuple(notes)), observations, amended, strays)

    def _selects(self, address: Address) -> bool:
        return self.selected is None or address in self.selected

    def hosts(self) -> list[str]:
        """The hosts that must be looked at, in the order of the YAML."""
        wanted = self._own() | {address.host for address in self.asked.resources}
        return [host for host in self.desired.hosts if host in wanted]

    def _told(self, settled: Sequence[Change], snapshot: Snapshot) -> list[str]:
        """The hosts of which a plan tells: its own, and those that keep a change waiting by their silence."""
        waiting = [change.address for change in settled if change.held.startswith(WAITS)]
        told = self._own() | {
            edge.on.host
            for address in waiting
            for edge in self.needs[address]
            if (look := snapshot.hosts.get(edge.on.host)) is None or look.unknown
        }
        return [host for host in self.hosts() if host in told]

    def _plan(
        self,
        snapshot: Snapshot,
        changes: Mapping[Address, Change],
        observations: Mapping[Address, Observation],
        unmanaged: list[Unmanaged],
        seconds: float,
    ) -> Plan:
        pending_on = {
            address: seen.pending_on
            for address, seen in observations.items()
            if isinstance(seen, Unknown) and seen.pending_on
        }
        chain = self.chain(snapshot)
        everything = settle(
            changes,
            self.needs,
            self._rank(),
            pending_on=pending_on,
            gates=Gates(self.allowed, None if self.ignore_phase else chain),
        )
        settled = [change for change in everything if self._selects(change.address)]
        looked = [self._looked(host, snapshot) for host in self._told(settled, snapshot)]
        return Plan(
            cluster=self.desired.cluster,
            lab=self.desired.lab,
            hosts=tuple(looked),
            changes=tuple(change for change in settled if change.action is not Action.NONE),
            in_sync=sum(1 for change in settled if change.action is Action.NONE),
            synced=tuple(change.address for change in settled if change.action is Action.NONE),
            unmanaged=tuple(sorted(unmanaged)),
            missing=self.desired.missing,
            seconds=seconds,
            addresses={name: login.address for name, login in self.desired.hosts.items()},
            chain=chain,
            ignored_phase=self.ignore_phase,
        )

    def _looked(self, host: str, snapshot: Snapshot) -> HostLooked:
        look, maintenance = snapshot.hosts.get(host), self.desired.maintenance.get(host)
        why = str(maintenance) if _in_force(maintenance, snapshot) else ""
        if look is None:
            return HostLooked(host, unknown="not part of this look", hint=OBSERVE_AGAIN, maintenance=why)
        return HostLooked(host, look.seconds, look.execs, look.unknown, look.hint, why)

    def _rank(self) -> dict[Address, tuple[int, ...]]:
        hosts = {host: index for index, host in enumerate(self.desired.hosts)}
        kinds = {kind: index for index, kind in enumerate(self.kinds)}
        return {a: (hosts[a.host], kinds[a.kind]) for a in self.desired.resources}


def _in_force(maintenance: Maintenance | None, snapshot: Snapshot) -> bool:
    """Whether it had not ended when the look was taken: an old look is judged by its own time."""
    return maintenance is not None and datetime.fromisoformat(snapshot.taken) < maintenance.ends
