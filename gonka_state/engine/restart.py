"""`restart` as a wish: the containers that were seen are to have been started anew, and to be healthy.

So it is a converge like any other: plan, phase gate, second look; a container that did not start again is a failed step.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gonka_state.core.observation import Observation, Present, Value
from gonka_state.engine.select import full_name
from gonka_state.errors import FactError, InputError
from gonka_state.facts.containers import FACT, ContainersState
from gonka_state.facts.node_observed import ENABLED
from gonka_state.facts.placement import RUNS, containers_of, rival_of, taken_by
from gonka_state.facts.services import observe_service
from gonka_state.facts.snapshot import answer_of
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared, Comparer
    from gonka_state.facts.container import Container
    from gonka_state.facts.here import Here
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource

KIND = "compose-service"
RESTARTED = "restarted"


def of_service(
    clusters: Sequence[Desired[Resource]], service: str | None, hosts: Collection[str]
) -> list[Desired[Resource]]:
    """The clusters that have this service (any, for None) on these hosts, with it as all they wish for.

    Raises:
        InputError: nobody declares it; with the nearest names.
    """
    found = [_only(desired, service, hosts) for desired in clusters]
    if not any(desired.resources for desired in found):
        raise InputError([_nobody(clusters, service, hosts)])
    return [desired for desired in found if desired.resources]


def _only(desired: Desired[Resource], service: str | None, hosts: Collection[str]) -> Desired[Resource]:
    names = {full_name(desired, host) for host in hosts}
    resources = {
        address: item
        for address, item in desired.resources.items()
        if isinstance(item.resource, ComposeServiceResource)
        and item.resource.state == "present"
        and service in {None, address.name}
        and (not names or address.host in names)
    }
    return replace(desired, resources=resources, prune={})


def _nobody(clusters: Sequence[Desired[Resource]], service: str | None, hosts: Collection[str]) -> str:
    where = f" on {', '.join(hosts)}" if hosts else ""
    names = sorted(
        {address.name for desired in clusters for address in _only(desired, None, hosts).resources}
    )
    if service is None or not names:
        return f"no service is declared{where}"
    close = difflib.get_close_matches(service, names, n=2)
    hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(names)}"
    return f"{service}: no such service is declared{where}; {hint}"


def rolling(comparer: Comparer, snapshot: Snapshot) -> Comparer:
    """The comparer that wants what was seen restarted, host after host.

    The host that knows the chain comes first, then the others in turns: one at a time where the cluster serves, else
    `run.throttle`. What fails stops the turns after it.
    """
    kind = restarting(comparer.kinds[KIND], _starts(comparer, snapshot))
    fresh = replace(comparer, kinds={**comparer.kinds, KIND: kind})
    ready = {change.address for change in fresh.compare(snapshot).plan.runnable}
    resources, before = dict(comparer.desired.resources), tuple[str, ...]()
    for turn in _turns(comparer, snapshot, ready):
        mine = [address for address in resources if address in ready and address.host in turn]
        for address in mine:
            item = resources[address]
            needs = [
                need
                for need in item.resource.needs
                if need in {a.local for a in mine if a.host == address.host}
            ]
            resource = item.resource.model_copy(update={"needs": (*needs, *before)})
            resources[address] = replace(item, resource=resource)
        before = tuple(map(str, mine)) or before
    return replace(fresh, desired=replace(comparer.desired, resources=resources))


def _turns(comparer: Comparer, snapshot: Snapshot, ready: Collection[Address]) -> list[list[str]]:
    chain, source = comparer.chain(snapshot), comparer.desired.chain
    size = 1 if chain is not None and chain.serving else comparer.desired.run.throttle
    hosts = [host for host in comparer.desired.hosts if any(address.host == host for address in ready)]
    first = [host for host in hosts if source is not None and host == source.host]
    rest = [host for host in hosts if host not in first]
    return [*filter(None, [first]), *(rest[at : at + size] for at in range(0, len(rest), size))]


def _starts(comparer: Comparer, snapshot: Snapshot) -> dict[str, frozenset[Start]]:
    """Every container's start, by host, as the first look saw them."""
    found: dict[str, frozenset[Start]] = {}
    for host in comparer.hosts():
        answer = answer_of(snapshot.hosts.get(host), FACT.section)
        try:
            state = None if answer.unknown else FACT.parse(answer.text)
        except FactError:
            state = None
        found[host] = frozenset(map(Start.of, state.containers)) if state else frozenset()
    return found


@dataclass(frozen=True, slots=True)
class Start:
    """One start of one container."""

    id: str
    at: float

    @classmethod
    def of(cls, container: Container) -> Start:
        """The start that a look saw."""
        return cls(container.id, container.started)


def restarting(kind: Kind[Any, Any], starts: Mapping[str, Collection[Start]]) -> Kind[Any, Any]:
    """The kind whose services are to have started since `starts`; one after the other on a host."""

    def observe(state: ContainersState, resource: ComposeServiceResource, here: Here) -> Observation:
        seen = observe_service(state, resource, here)
        if not isinstance(seen, Present):
            return seen
        since = {Start.of(item) for item in containers_of(state, resource)}
        attributes: dict[str, Value] = {
            RESTARTED: since.isdisjoint(starts.get(here.host, ())),
            "healthy": seen.attributes["healthy"],
        }
        return Present(attributes, seen.details)

    return replace(kind, observe=observe, wanted=_wanted, refuse=_refuse, needs=(), side_by_side=False)


def _wanted(state: ContainersState, resource: ComposeServiceResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind is asked alike)
    return {RESTARTED: True, "healthy": True}


def _refuse(
    state: ContainersState,
    declared: Mapping[Address, ComposeServiceResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> dict[Address, str]:
    """What a restart would start that does not run, or would start beside another."""
    found: dict[Address, str] = {}
    for address, resource in declared.items():
        mine, rival = containers_of(state, resource), rival_of(state, resource)
        if not mine:
            found[address] = "there is no container: gonka-state converge makes it"
        elif mine[0].status in {"created", "exited", "paused", "dead"}:
            found[address] = f"its container is {mine[0].status}: gonka-state converge starts what shall run"
        elif rival is not None and rival.status in RUNS:
            found[address] = f"{taken_by(rival, resource)}, and runs: two signers would be slashed"
    return found


def enabled(compared: Compared) -> dict[str, bool]:
    """Whether each node that was seen is enabled: what the API forgets when it starts."""
    return {
        address.name: seen.attributes[ENABLED]
        for address, seen in compared.observations.items()
        if address.kind == "node" and isinstance(seen, Present) and seen.attributes.get(ENABLED) is not None
    }
