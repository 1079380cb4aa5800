"""Of which incidents somebody is to be told now, and of which no more."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.history import FLAP_WINDOW, FLAPS
from gonka_state.core.incident import Origin, findings
from gonka_state.core.units import MINUTE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from gonka_state.core.incident import Incident
    from gonka_state.core.plan import Plan

PATIENCE = 45 * MINUTE
"""Seconds that somebody waits for a second check; where it takes longer, one is believed."""


@dataclass(frozen=True, slots=True)
class Check:
    """What a look said, when it began and ended, and when the one before it was; in seconds since 1970."""

    plan: Plan
    began: float
    now: float
    before: float | None

    @property
    def rare(self) -> bool:
        """Whether waiting for the next one would take too long."""
        return self.before is not None and self.began - self.before > PATIENCE


@dataclass(frozen=True, slots=True)
class Kept:
    """An incident in the history, its row, and what was said of it.

    `flapping` says that it was told as such. Then its end is told when it has been calm.
    """

    row: int
    incident: Incident
    told: bool = False
    told_closed: bool = False
    flapping: bool = False

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.incident.finding.subject

    @property
    def unsaid_end(self) -> bool:
        """Whether it was told and is over, and nobody knows yet."""
        return self.told and self.incident.closed is not None and not self.told_closed


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told; true where that is anything. `settled` are over, and there is nothing to say of their end."""

    opened: tuple[Kept, ...] = ()
    flapping: tuple[Kept, ...] = ()
    closed: tuple[Kept, ...] = ()
    settled: tuple[Kept, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.opened or self.flapping or self.closed)


def telling(kept: Iterable[Kept], check: Check) -> Telling:
    """Decide about what is open, what was told, and what opened within FLAP_WINDOW; all of these have to be in `kept`.

    One look is not believed: an incident is told when a look that began after it was found saw it too; where checks are
    rare, one is enough. What flaps is told once, as soon as it does, and nothing more of it until it has been calm.
    """
    rows = sorted(kept, key=lambda item: (item.subject, item.incident.opened))
    restless = _restless(rows, check.now)
    named = {row.subject for row in rows if row.flapping and not row.told_closed}
    seen = {(finding.subject, finding.unknown) for finding in findings(check.plan)}
    opened, flapping = [], []
    for row in rows:
        finding = row.incident.finding
        if row.told or row.incident.closed is not None or (finding.subject, finding.unknown) not in seen:
            continue
        if row.subject in restless and row.incident.origin is not Origin.PENDING:
            if row.subject not in named:
                named.add(row.subject)
                flapping.append(row)
        elif check.rare or not check.began < row.incident.opened <= check.now:
            # What was opened later than now was opened by a clock that went ahead, and is not new.
            opened.append(row)
    closed, settled = _ends(rows, restless, named & restless | _left_alone(check.plan))
    return Telling(tuple(opened), tuple(flapping), tuple(closed), tuple(settled))


def _restless(rows: Iterable[Kept], now: float) -> frozenset[str]:
    times = Counter(
        row.subject
        for row in rows
        if row.incident.origin is not Origin.PENDING and now - row.incident.opened <= FLAP_WINDOW
    )
    return frozenset(subject for subject, count in times.items() if count >= FLAPS)


def _ends(
    rows: Iterable[Kept], restless: Collection[str], silent: Collection[str]
) -> tuple[list[Kept], list[Kept]]:
    """What is over and to be told, and what is over and is not.

    `silent` are flapping, and known to be so, or left to those who work on them.
    """
    again = {row.subject for row in rows if row.incident.closed is None}
    closed: list[Kept] = []
    settled: list[Kept] = []
    for row in (row for row in rows if row.unsaid_end):
        if row.flapping and row.subject in restless:
            continue
        back = row.flapping and row.subject in again
        (settled if back or row.subject in silent else closed).append(row)
    return closed, settled


def _left_alone(plan: Plan) -> frozenset[str]:
    """What is not as wished, and silent because somebody works on it."""
    hosts = {looked.host for looked in plan.hosts if looked.unknown and looked.maintenance}
    return frozenset(hosts | {str(change.address) for change in plan.maintained})
