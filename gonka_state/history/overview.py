"""The history of one cluster, put together from what is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.history import flapping, shares
from gonka_state.core.overview import Detail, Overview
from gonka_state.history import read

if TYPE_CHECKING:
    import sqlite3

CONVERGES = 10
"""So many of the latest converges are shown."""


def overview(connection: sqlite3.Connection, known: read.Known, since: float, until: float) -> Overview:
    """What is known of one cluster, and of the time from `since` to `until`."""
    verdicts = read.verdicts(connection, known.number, since)
    return Overview(
        known.name,
        known.lab,
        since,
        until,
        shares(verdicts, since, until),
        checks=sum(1 for at, _ in verdicts if at >= since),
        last=read.last_run(connection, known.number),
        open=tuple(read.open_incidents(connection, known.number)),
        converges=tuple(read.converges(connection, known.number, since, CONVERGES)),
        flapping=tuple(
            flap
            for flap in flapping(read.opened_since(connection, known.number, since))
            if flap.last >= since
        ),
    )


def detail(connection: sqlite3.Connection, number: int) -> Detail | None:
    """One run in full; None where there is none of this number."""
    found = read.one_run(connection, number)
    if found is None:
        return None
    known, run, incidents = found
    return Detail(known.name, known.lab, run, tuple(incidents))
