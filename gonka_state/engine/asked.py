"""What one host's look is asked: each fact once, with every resource it answers for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.desired import Desired
    from gonka_state.facts.base import Fact
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource


def facts_of(
    desired: Desired[Resource], kinds: Mapping[str, Kind[Any, Any]], host: str
) -> list[tuple[Fact[Any], list[Resource]]]:
    """The facts that a host itself answers, in the order of the YAML; a resource that waits for a value asks nothing."""
    wanted: dict[str, tuple[Fact[Any], list[Resource]]] = {}
    for address, declared in desired.resources.items():
        fact = kinds[address.kind].fact
        if address.host == host and not declared.withheld and not fact.elsewhere:
            wanted.setdefault(fact.section, (fact, []))[1].append(declared.resource)
    return list(wanted.values())
