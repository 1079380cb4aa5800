"""What checks over time say of a cluster: how long it was in sync, and what comes and goes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from gonka_state.core.incident import Origin
from gonka_state.core.report import ExitStatus
from gonka_state.core.units import DAY, HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.core.incident import Incident
    from gonka_state.core.report import Outcome

BELIEVED = HOUR
"""Seconds for which a check's verdict is believed while no other check is made; then nothing is known."""

FLAPS = 3
FLAP_WINDOW = DAY
"""What opened at least FLAPS times within so many seconds is flapping."""


class Verdict(StrEnum):
    """What a check said of its cluster."""

    IN_SYNC = "in sync"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command on one cluster. `at` is when it ended, in seconds since 1970; `seconds` how long it took.

    `whole` runs looked at everything that is declared; the others say nothing of the cluster. `steps` are those of
    a converge that ran something; `number` is its name in the history.
    """

    number: int
    command: str
    at: float
    seconds: float
    status: int
    whole: bool
    in_sync: int
    pending: int
    unknown: int
    steps: tuple[Step, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The verdict on the cluster: what is known to differ counts more than what is not known."""
        return verdict(self.status, self.pending, whole=self.whole)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a converge, as its report told it."""

    address: str
    action: str
    effect: str
    status: str
    seconds: float
    detail: str = ""

    @classmethod
    def of(cls, outcome: Outcome) -> Step:
        """The step that had this outcome."""
        change = outcome.change
        return cls(
            str(change.address),
            str(change.action),
            str(change.effect),
            str(outcome.status),
            round(outcome.seconds, 3),
            outcome.detail,
        )


@dataclass(frozen=True, slots=True)
class Flap:
    """Something that comes and goes: how often it opened within FLAP_WINDOW at the worst, and when last."""

    subject: str
    times: int
    last: float


@cache
def verdict(status: int, pending: int, *, whole: bool = True) -> Verdict:
    """What a run with this exit status and so many differences says of its cluster."""
    if not whole:
        return Verdict.UNKNOWN
    if status == ExitStatus.OK:
        return Verdict.IN_SYNC
    return Verdict.DIFFERS if pending and status != ExitStatus.ERROR else Verdict.UNKNOWN


def shares(verdicts: Sequence[tuple[float, Verdict]], since: float, until: float) -> dict[Verdict, float]:
    """How much of the time from `since` to `until` each verdict held, as parts of 1.

    `verdicts` are in order of time and may begin before `since`. A verdict holds until the next check, but not
    longer than BELIEVED; all other time is unknown.
    """
    held = dict.fromkeys(Verdict, 0.0)
    whole = max(until - since, 0.0)
    for (at, said), (following, _) in pairwise([*verdicts, (until, Verdict.UNKNOWN)]):
        begin, end = max(at, since), min(following, at + BELIEVED, until)
        held[said] += max(end - begin, 0.0)
    known = held[Verdict.IN_SYNC] + held[Verdict.DIFFERS]
    held[Verdict.UNKNOWN] = max(whole - known, 0.0)
    return {said: seconds / whole if whole else 0.0 for said, seconds in held.items()}


def flapping(incidents: Iterable[Incident]) -> list[Flap]:
    """What opened again and again. The operator's own edits of the YAML are no flapping."""
    opened: dict[str, list[float]] = {}
    for incident in incidents:
        if incident.origin is not Origin.PENDING:
            opened.setdefault(incident.finding.subject, []).append(incident.opened)
    found = [Flap(subject, _worst(sorted(times)), max(times)) for subject, times in sorted(opened.items())]
    return [flap for flap in found if flap.times >= FLAPS]


def _worst(times: Sequence[float]) -> int:
    """The largest number of moments that lie within one window."""
    first, most = 0, 0
    for last, moment in enumerate(times):
        while moment - times[first] > FLAP_WINDOW:
            first += 1
        most = max(most, last - first + 1)
    return most
