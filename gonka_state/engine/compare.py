"""A wish and a snapshot become a plan. Pure: the same for a live look and an old one, without pyinfra."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gonka_state.core.change import Action, Change
from gonka_state.core.diff import compare
from gonka_state.core.observation import Observation, Unknown, Unmanaged
from gonka_state.core.plan import NOT_SELECTED, HostLooked, Plan, settle
from gonka_state.engine.needs import edges
from gonka_state.errors import FactError
from gonka_state.facts.here import Here
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Declared, Desired
    from gonka_state.core.order import Edge
    from gonka_state.facts.snapshot import HostLook, Snapshot
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource

_OBSERVE_AGAIN = "take a new snapshot: gonka-state observe"


@dataclass(frozen=True, slots=True)
class Compared:
    """A plan with what it was made from, for those who carry it out."""

    plan: Plan
    observations: Mapping[Address, Observation]
    changes: Mapping[Address, Change]


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares one wish with any number of looks. `selected` limits what is planned, None means all."""

    desired: Desired[Resource]
    kinds: Mapping[str, Kind[Any, Any]]
    selected: Collection[Address] | None = None
    allowed: Collection[str] = ()
    needs: Mapping[Address, Sequence[Edge]] = field(init=False)

    def __post_init__(self) -> None:
        """What needs what follows from the wish alone: once for every look and round of a run."""
        object.__setattr__(self, "needs", edges(self.desired, self.kinds))

    def here(self, host: str, peer: str = "") -> Here:
        """What a kind may know about a host."""
        declared = [item.resource for address, item in self.desired.resources.items() if address.host == host]
        addresses = {name: login.address for name, login in self.desired.hosts.items()}
        return Here(host, addresses, peer, declared)

    def compare(self, snapshot: Snapshot, *, seconds: float = 0.0) -> Compared:
        """Judge every declared resource; hosts that are not in the snapshot are unknown."""
        observations: dict[Address, Observation] = {}
        changes: dict[Address, Change] = {}
        unmanaged: list[Unmanaged] = []
        for host in self.hosts():
            look = snapshot.hosts.get(host)
            declared = {a: d for a, d in self.desired.resources.items() if a.host == host}
            seen = _Host(self, host, look, declared)
            for address, item in declared.items():
                change, observations[address] = seen.judge(item)
                skip = change.pending and not self._selects(address)
                changes[address] = replace(change, held=NOT_SELECTED) if skip else change
            refused = seen.refusals()
            changes.update(
                {a: replace(changes[a], held=why) for a, why in refused.items() if changes[a].pending}
            )
            unmanaged.extend(seen.unmanaged())
        return Compared(
            self._plan(snapshot, changes, observations, unmanaged, seconds), observations, changes
        )

    def _selects(self, address: Address) -> bool:
        return self.selected is None or address in self.selected

    def hosts(self) -> list[str]:
        """The hosts that must be looked at, in the order of the YAML."""
        if self.selected is None:
            return list(self.desired.hosts)
        wanted = {address.host for address in self.selected}
        return [host for host in self.desired.hosts if host in wanted]

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
        everything = settle(changes, self.needs, self._rank(), pending_on=pending_on, allowed=self.allowed)
        settled = [change for change in everything if self._selects(change.address)]
        looked = [_looked(host, snapshot.hosts.get(host)) for host in self.hosts()]
        return Plan(
            cluster=self.desired.cluster,
            lab=self.desired.lab,
            hosts=tuple(looked),
            changes=tuple(change for change in settled if change.action is not Action.NONE),
            in_sync=sum(1 for change in settled if change.action is Action.NONE),
            unmanaged=tuple(sorted(unmanaged)),
            missing=self.desired.missing,
            seconds=seconds,
            addresses={name: login.address for name, login in self.desired.hosts.items()},
        )

    def _rank(self) -> dict[Address, tuple[int, ...]]:
        hosts = {host: index for index, host in enumerate(self.desired.hosts)}
        kinds = {kind: index for index, kind in enumerate(self.kinds)}
        return {a: (hosts[a.host], kinds[a.kind]) for a in self.desired.resources}


def _looked(host: str, look: HostLook | None) -> HostLooked:
    if look is None:
        return HostLooked(host, unknown="not part of this look", hint=_OBSERVE_AGAIN)
    return HostLooked(host, look.seconds, look.execs, look.unknown, look.hint)


class _Host:
    """One host's sections, each parsed once, and what they say about each resource."""

    def __init__(
        self,
        comparer: Comparer,
        host: str,
        look: HostLook | None,
        declared: Mapping[Address, Declared[Resource]],
    ) -> None:
        self._kinds = comparer.kinds
        self._look = look
        self._declared = declared
        self._here = comparer.here(host, look.peer if look else "")
        self._states: dict[str, Any] = {}

    def _state(self, kind: Kind[Any, Any]) -> Any:  # noqa: ANN401 (each fact has its own)
        """The parsed section, or the Unknown that stands for it."""
        section = kind.fact.section
        if section not in self._states:
            self._states[section] = self._parse(kind)
        return self._states[section]

    def _parse(self, kind: Kind[Any, Any]) -> Any:  # noqa: ANN401
        if self._look is None:
            return Unknown("the host is not part of this look", _OBSERVE_AGAIN)
        if self._look.unknown:
            return Unknown(self._look.unknown, self._look.hint)
        answer = self._look.sections.get(kind.fact.section)
        if answer is None:
            return Unknown(f"nothing was asked about {kind.fact.section}", _OBSERVE_AGAIN)
        if answer.unknown:
            return Unknown(answer.unknown, _hint(answer.unknown))
        try:
            return kind.fact.parse(answer.text)
        except FactError as error:
            return Unknown(str(error), error.hint)

    def judge(self, item: Declared[Resource]) -> tuple[Change, Observation]:
        """One resource's change, before order and gates."""
        kind = self._kinds[item.address.kind]
        seen, wanted = self._observe(kind, item)
        resource = item.resource
        action, attributes = compare(wanted, seen, wanted_absent=resource.state == "absent")
        if isinstance(seen, Unknown):
            return Change(item.address, action, reason=seen.reason, hint=seen.hint), seen
        if action is Action.CREATE:
            attributes = ()
        by_hand = seen.human
        change = Change(
            item.address,
            action,
            attributes,
            effect=resource.effect(action, attributes),
            reason=seen.reason or by_hand,
            hint=seen.hint,
            human=bool(by_hand) or (resource.human and action is not Action.NONE),
            warning=isinstance(resource, RequirementResource) and resource.level == "warn",
            consent=resource.consent,
        )
        return change, seen

    def _observe(self, kind: Kind[Any, Any], item: Declared[Resource]) -> tuple[Observation, dict[str, Any]]:
        if item.withheld:
            return Unknown(f"waits for {item.withheld}", "set it, or leave it out of the YAML"), {}
        state = self._state(kind)
        if isinstance(state, Unknown):
            return state, {}
        try:
            return kind.observe(state, item.resource, self._here), kind.wanted(
                state, item.resource, self._here
            )
        except FactError as error:
            return Unknown(str(error), error.hint), {}

    def _per_kind(self) -> list[tuple[Kind[Any, Any], Any, dict[Address, Resource]]]:
        known = []
        for kind in self._kinds.values():
            mine = {
                a: d.resource for a, d in self._declared.items() if a.kind == kind.name and not d.withheld
            }
            if mine and not isinstance(state := self._state(kind), Unknown):
                known.append((kind, state, mine))
        return known

    def refusals(self) -> dict[Address, str]:
        """Changes that a kind refuses for the host as a whole."""
        found: dict[Address, str] = {}
        for kind, state, mine in self._per_kind():
            found.update(kind.refuse(state, mine, self._here))
        return found

    def unmanaged(self) -> list[Unmanaged]:
        """What is on the host and nobody declared, for the kinds that were looked at."""
        return [
            item
            for kind, state, mine in self._per_kind()
            for item in kind.unmanaged(state, list(mine.values()), self._here)
        ]


def _hint(reason: str) -> str:
    if "sudo" in reason:
        return "give the login user passwordless sudo, or log in as root"
    if "within" in reason:
        return "a slow section gets more time with run.timeouts.section"
    return ""
