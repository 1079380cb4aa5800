"""What a comparison found, in a line and with what to do: shared by those who tell it in other words than a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.change import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared
    from gonka_state.resources.base import Resource

_MANY = 3
"""How many differences one line names; all of them are in a diff."""


def judged(desired: Desired[Resource], compared: Compared, host: str) -> list[tuple[Resource, Change]]:
    """Everything declared on a host, and what is to be pruned there, with what was seen of it.

    What only follows from something else warns.
    """
    follows = {change.address for change in compared.plan.changes if change.conditional}
    found = []
    for declared in (*desired.resources.values(), *compared.strays):
        address = declared.address
        if address.host == host and address in compared.changes:
            change = compared.changes[address]
            follow = change.pending and address in follows
            found.append((declared.resource, replace(change, warning=True) if follow else change))
    return found


def unseen(changes: Sequence[Change]) -> list[Change]:
    """Those that nobody could see, and nobody works on."""
    return [change for change in changes if change.action is Action.UNKNOWN and not change.maintenance]


def reasons(changes: Sequence[Change]) -> tuple[str, str]:
    """Why they are unknown, and what to do, each said once."""
    said = dict.fromkeys(change.reason for change in changes)
    hints = dict.fromkeys(change.hint for change in changes if change.hint)
    return "; ".join(said), "\n".join(hints)


def listed(changes: Sequence[Change]) -> str:
    """The first few differences in one line."""
    lines = [f"{change.address.name}: {_what(change)}" for change in changes[:_MANY]]
    more = len(changes) - _MANY
    return "; ".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _what(change: Change) -> str:
    if change.reason:
        return change.reason
    if change.action is Action.CREATE:
        return "is not there"
    if change.action is Action.DELETE:
        return "is there and should not be"
    return f"{', '.join(item.name for item in change.attributes)} differs"


def advice(changes: Sequence[Change], desired: Desired[Resource], host: str) -> str:
    """What a human does; or the command that closes what we can close."""
    hints = dict.fromkeys(change.hint for change in changes if change.hint)
    kinds = " ".join(f"--kind {kind}" for kind in sorted({c.address.kind for c in changes if not c.human}))
    command = f"gonka-state converge {desired.file} --host {host} {kinds}" if kinds else ""
    return "\n".join([*hints, *([command] if command else [])])
