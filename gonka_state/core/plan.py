"""Every resource's change, in the order it would run, with what may not run and why."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gonka_state.core.change import Action, Change, Effect
from gonka_state.core.gates import Gates
from gonka_state.core.order import in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.chain import Chain
    from gonka_state.core.incident import Seen
    from gonka_state.core.observation import Note, Unmanaged
    from gonka_state.core.order import Edge


NOT_SELECTED = "was not selected"
NO_GATES = Gates()

WAITS = "waits for "
"""How `held` begins where another resource's state is the reason, not a refusal of this step."""


@dataclass(frozen=True, slots=True)
class HostLooked:
    """How the look at one host went. `unknown` is empty when it answered; `maintenance` says why that is no news."""

    host: str
    seconds: float = 0.0
    execs: int = 0
    unknown: str = ""
    hint: str = ""
    maintenance: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """One cluster's plan. `changes` leaves out what is in sync and is in running order.

    `chain` is None where there is no chain to ask; `ignored_phase` is the operator's reason for overruling it.
    `synced` are the addresses that `in_sync` counts. `seen` is what the history knows, by address, and by host
    where a host gives no answer; empty where nothing was recorded.
    """

    cluster: str
    lab: bool
    hosts: tuple[HostLooked, ...]
    changes: tuple[Change, ...]
    in_sync: int
    unmanaged: tuple[Unmanaged, ...] = ()
    missing: tuple[str, ...] = ()
    seconds: float = 0.0
    addresses: Mapping[str, str] = field(default_factory=dict)
    chain: Chain | None = None
    ignored_phase: str = ""
    notes: tuple[Note, ...] = ()
    synced: tuple[Address, ...] = ()
    seen: Mapping[str, Seen] = field(default_factory=dict)

    @property
    def pending(self) -> tuple[Change, ...]:
        """What differs, runnable or not."""
        return tuple(change for change in self.changes if change.pending)

    @property
    def runnable(self) -> tuple[Change, ...]:
        """What a converge would run."""
        return tuple(change for change in self.changes if change.runnable)

    @property
    def unknown(self) -> tuple[Change, ...]:
        """What could not be seen."""
        return tuple(
            change for change in self.changes if change.action is Action.UNKNOWN and not change.maintenance
        )

    @property
    def maintained(self) -> tuple[Change, ...]:
        """What differs or could not be seen, and is left to those who work on it."""
        return tuple(change for change in self.changes if change.maintenance and not change.warning)

    @property
    def blind(self) -> bool:
        """True where no host at all could be looked at, so that nothing can be concluded."""
        ours = [looked for looked in self.hosts if not looked.maintenance]
        return bool(ours) and all(looked.unknown for looked in ours)


def settle(
    changes: Mapping[Address, Change],
    edges: Mapping[Address, Sequence[Edge]],
    rank: Mapping[Address, tuple[int, ...]],
    *,
    pending_on: Mapping[Address, str],
    gates: Gates = NO_GATES,
) -> tuple[Change, ...]:
    """Put changes in order and hold back what must not run.

    A change waits when something it needs is unknown, waits itself, or is left to a human. A resource in
    sync becomes a conditional change when what it is made from will change; so does what is left to a
    human while a step comes before it that may settle it. `pending_on` maps unknown addresses to the kind
    whose planned steps will make them known.
    """
    settled: dict[Address, Change] = {}
    for address in in_order(edges, rank):
        change = changes.get(address)
        if change is None:
            continue
        needs = [
            (edge, need)
            for edge in sorted(edges.get(address, ()))
            if edge.counts_for(change)
            and (need := settled.get(edge.on)) is not None
            and not (edge.loose and need.held == NOT_SELECTED)
        ]
        settled[address] = _settle_one(gates.hold(change), needs, pending_on.get(address, ""))
    return tuple(settled.values())


def _settle_one(change: Change, needs: Sequence[tuple[Edge, Change]], pending_on: str) -> Change:
    if change.maintenance:
        return change
    if change.action is Action.UNKNOWN:
        # What the command line left out makes nothing known in this run.
        planned = [need for _, need in needs if need.pending and need.held != NOT_SELECTED]
        later = [need for need in planned if pending_on and need.address.kind == pending_on]
        if not later:
            return change
        reason = f"known after {later[0].address.local}"
        change = replace(change, action=Action.UPDATE, conditional=True, reason=reason, hint="")
    if change.action is Action.NONE:
        refreshed = [need for edge, need in needs if edge.refreshed_by(need)]
        if not refreshed:
            return change
        reason = f"may follow {refreshed[0].address.local}"
        change = replace(change, action=Action.UPDATE, conditional=True, reason=reason)
    if change.held or not change.pending:
        return change
    before = next((need for _, need in needs if need.runnable), None)
    if change.human and before is not None:
        reason = "; ".join(filter(None, [change.reason, f"known after {before.address.local}"]))
        return replace(change, conditional=True, reason=reason, hint="")
    return replace(change, held=next((why for _, need in needs if (why := _blocks(need, change.effect))), ""))


def _blocks(need: Change, effect: Effect) -> str:
    if need.maintenance and need.action is not Action.NONE:
        return f"{WAITS}{need.address}, which is in maintenance"
    if need.action is Action.UNKNOWN:
        return f"{WAITS}{need.address}, which is unknown"
    if not need.blocks and effect is not Effect.IRREVERSIBLE:
        return ""
    if need.pending and need.human:
        return f"{WAITS}{need.address}, which only a human closes"
    if need.pending and need.held:
        why = "was not selected" if need.held == NOT_SELECTED else "is held"
        return f"{WAITS}{need.address}, which {why}"
    return ""
