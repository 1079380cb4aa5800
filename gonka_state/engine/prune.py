"""Pruning: what a look found on a host and nobody declared becomes declared absent, for the kinds `prune` names.

From then on it is a resource like any other: in the plan, behind its consent, looked at again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.address import Address
from gonka_state.core.desired import Declared
from gonka_state.engine.judge import HostJudge

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Comparer
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource

WHY = "nobody declared it, and prune names its kind"


def pruning(
    comparer: Comparer,
    snapshot: Snapshot,
    select: Callable[[Desired[Resource]], Collection[Address] | None],
) -> Comparer:
    """The comparer, whose wish also says that what was found and nobody declared shall be absent.

    Nothing is added for a host, or a kind, that could not be seen. `select` is what the command line selects.
    """
    desired = comparer.desired
    found = [item for host in desired.prune for item in _found(comparer, snapshot, host)]
    if not found:
        return comparer
    everything = {**{item.address: item for item in found}, **desired.resources}
    wish = replace(desired, resources=everything)
    return replace(comparer, desired=wish, selected=select(wish))


def _found(comparer: Comparer, snapshot: Snapshot, host: str) -> list[Declared[Resource]]:
    desired, look = comparer.desired, snapshot.hosts.get(host)
    declared = {address: item for address, item in desired.resources.items() if address.host == host}
    judge = HostJudge(comparer.kinds, look, declared, comparer.here(host, look))
    return [
        Declared(
            Address(host, resource.kind, resource.name),
            resource,
            maintenance=desired.maintenance.get(host),
            why=WHY,
        )
        for resource in judge.strangers(desired.prune[host])
    ]
