"""What was found to differ or could not be seen, from the first check that said so to the one that no longer does."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from gonka_state.core.change import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.change import AttributeChange, Change
    from gonka_state.core.plan import Plan


class Origin(StrEnum):
    """Why something is not as wished: the world moved, the wish moved, or nobody could look."""

    DRIFT = "drift"
    PENDING = "pending"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Seen:
    """What the history knows of something that is open now. `since` is in seconds since 1970."""

    origin: Origin
    since: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check found. `subject` is an address, or the name of a host that gave no answer."""

    subject: str
    unknown: bool
    action: str = ""
    effect: str = ""
    attributes: tuple[AttributeChange, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incident:
    """A finding over time, in seconds since 1970. `closed` is None while it is open.

    `finding` is as it was seen last.
    """

    finding: Finding
    origin: Origin
    opened: float
    seen: float
    closed: float | None = None


def origin(finding: Finding, wish: str | None, last: str | None) -> Origin:
    """Which of the two moved, by the digests of the wish now and of when the resource was last in sync.

    What was never seen in sync is pending: nobody can have moved it away from there. What has no wish of its own,
    and is there nevertheless to be pruned, came by itself.
    """
    if finding.unknown:
        return Origin.UNKNOWN
    return Origin.DRIFT if wish is None or wish == last else Origin.PENDING


def findings(plan: Plan) -> tuple[Finding, ...]:
    """What a look found that somebody should know.

    A host that gave no answer is one finding, not one per resource. What only may follow, warnings and what is
    in maintenance are none.
    """
    silent = {looked.host for looked in plan.hosts if looked.unknown}
    found = [
        Finding(looked.host, unknown=True, reason=looked.unknown)
        for looked in plan.hosts
        if looked.unknown and not looked.maintenance
    ]
    found += [_of(change) for change in plan.changes if change.address.host not in silent and _counts(change)]
    return tuple(found)


def still_open(subject: str, *, unknown: bool, stray: bool, plan: Plan) -> bool:
    """Whether something open that a look did not find again must stay open, because it could not be judged.

    A `stray` was there and never declared.
    """
    host, _, rest = subject.partition("/")
    if subject != host and any(looked.host == host and looked.unknown for looked in plan.hosts):
        return True
    mine = [change for change in plan.changes if str(change.address) == subject]
    if unknown:
        # What only may follow was not seen either.
        return any(change.conditional for change in mine)
    if mine or not stray or subject in map(str, plan.synced):
        return bool(mine)
    # What nobody declared is not in a plan whose look could not see its kind: what is declared of it tells.
    beside = host, rest.partition(":")[0], Action.UNKNOWN
    return any((item.address.host, item.address.kind, item.action) == beside for item in plan.changes)


def known_of(change: Change, seen: Mapping[str, Seen]) -> Seen | None:
    """What is known of a change; that of its host where the host gives no answer."""
    found = seen.get(str(change.address))
    if found is None and change.action is Action.UNKNOWN:
        return seen.get(change.address.host)
    return found


def _counts(change: Change) -> bool:
    if change.action is Action.UNKNOWN:
        return not change.maintenance
    return change.pending and not change.conditional


def _of(change: Change) -> Finding:
    return Finding(
        str(change.address),
        unknown=change.action is Action.UNKNOWN,
        action=str(change.action),
        effect=str(change.effect),
        attributes=change.attributes,
        reason=change.reason,
    )
