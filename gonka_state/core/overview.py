"""What the history tells of one cluster over a span of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.history import Flap, Run, Verdict
    from gonka_state.core.incident import Incident


@dataclass(frozen=True, slots=True)
class Overview:
    """One cluster from `since` to `until`, in seconds since 1970.

    `checks` counts the runs that looked at all of it, `last` is the latest of them, whenever that was. `open` is
    what is open now; `converges` are the latest that ran something.
    """

    cluster: str
    lab: bool
    since: float
    until: float
    shares: Mapping[Verdict, float]
    checks: int
    last: Run | None
    open: tuple[Incident, ...]
    converges: tuple[Run, ...]
    flapping: tuple[Flap, ...]


@dataclass(frozen=True, slots=True)
class Detail:
    """One run of one cluster in full, with what was open after it."""

    cluster: str
    lab: bool
    run: Run
    open: tuple[Incident, ...]
