"""What each declared resource needs, joined from three places: its kind, itself, and blocking requirements.

What is to go turns its needs round: it goes before what it needed, where that is to go too. What it needed on another
host does not keep it there: the node of a dead ML host can be removed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gonka_state.core.address import Address
from gonka_state.core.order import CircleError, Edge, in_order
from gonka_state.errors import InputError
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonka_state.core.desired import Declared, Desired
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource


def edges(desired: Desired[Resource], kinds: Mapping[str, Kind[Any, Any]]) -> dict[Address, list[Edge]]:
    """What each resource needs: by its kind's rules, by its own `needs`, and by blocking requirements."""
    by_host: dict[tuple[str, str], list[Declared[Resource]]] = {}
    for declared in desired.resources.values():
        by_host.setdefault((declared.address.host, declared.address.kind), []).append(declared)
    found: dict[Address, list[Edge]] = {}
    for address, declared in desired.resources.items():
        mine: dict[Address, Edge] = {}
        for need in kinds[address.kind].needs:
            for other in by_host.get((address.host, need.kind), ()):
                if other.address == address or not need.when(declared.resource, other.resource):
                    continue
                if need.refresh or other.address not in mine:
                    mine[other.address] = Edge(other.address, need.refresh, need.only, need.first, need.loose)
        for text in declared.resource.needs:
            on = Address.parse(text, host=address.host).plain()
            mine[on] = replace(mine.get(on, Edge(on)), first=False, loose=False)
        for other in by_host.get((address.host, "requirement"), ()):
            if isinstance(other.resource, RequirementResource) and address.kind in other.resource.blocks:
                mine.setdefault(other.address, Edge(other.address))
        found[address] = [mine[on] for on in sorted(mine)]
    return _undone_backwards(found, desired)


def check_needs(clusters: Iterable[Desired[Resource]], kinds: Mapping[str, Kind[Any, Any]]) -> None:
    """Refuse needs that go in a circle.

    Raises:
        InputError: names the circle, at the place of the first of it that the YAML declares.
    """
    problems = []
    for desired in clusters:
        try:
            in_order(edges(desired, kinds), {})
        except CircleError as error:
            places = sorted(str(desired.resources[address].source) for address in error.addresses)
            problems.append(f"{places[0]}: {error.message}")
    if problems:
        raise InputError(problems)


def _undone_backwards(
    found: Mapping[Address, list[Edge]], desired: Desired[Resource]
) -> dict[Address, list[Edge]]:
    gone = {a for a, item in desired.resources.items() if item.resource.state == "absent"}
    turned: dict[Address, set[Edge]] = {}
    for address in gone:
        for edge in found[address]:
            if edge.on in gone:
                turned.setdefault(edge.on, set()).add(Edge(address))

    def holds(address: Address, edge: Edge) -> bool:
        if address in gone:
            return edge.on not in gone and edge.on.host == address.host
        # What stays needs nothing of what goes; it may only have to follow.
        return edge.on not in gone or edge.refresh

    return {
        address: [*(e for e in edges if holds(address, e)), *sorted(turned.get(address, ()))]
        for address, edges in found.items()
    }
