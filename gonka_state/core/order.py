"""What must be in place before what."""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.change import Change


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """A need: `on` comes first.

    `refresh`: when it changes, the one that needs it may have to follow; with `only`, when one of these
    attributes of it changes. `first`: it counts only while the one that needs it is made for the first
    time; what is there already may be started again without it. `loose`: it comes first where both run;
    left out of a selection, it holds nothing back.
    """

    on: Address
    refresh: bool = False
    only: tuple[str, ...] = ()
    first: bool = False
    loose: bool = False

    def counts_for(self, change: Change) -> bool:
        """Whether this need matters to a change of the one that has it."""
        return not self.first or change.action is Action.CREATE

    def refreshed_by(self, change: Change) -> bool:
        """Whether this change of `on` may make a change necessary where it is needed."""
        if not self.refresh or not change.runnable:
            return False
        names = {item.name.split(".", 1)[0] for item in change.attributes}
        return not self.only or not names or not names.isdisjoint(self.only)


class CircleError(InputError):
    """Needs that go in a circle; `addresses` begin and end with the same."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        super().__init__([f"needs go in a circle: {' needs '.join(map(str, addresses))}"])
        self.addresses = addresses


def in_order(
    edges: Mapping[Address, Sequence[Edge]], rank: Mapping[Address, tuple[int, ...]]
) -> list[Address]:
    """Every address after all it needs; among the free ones by `rank`, so the result never varies.

    Raises:
        CircleError: the needs go in a circle; the message names it.
    """
    sorter = TopologicalSorter({address: [edge.on for edge in needs] for address, needs in edges.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise CircleError(tuple(reversed(error.args[1]))) from error
    result: list[Address] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda address: (rank.get(address, ()), address))
        result.extend(ready)
        sorter.done(*ready)
    return result
