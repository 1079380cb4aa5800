"""Reading the history back: runs, incidents, and everything about one run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.core.change import AttributeChange
from gonka_state.core.history import BELIEVED, FLAP_WINDOW, Run, Step, Verdict, verdict
from gonka_state.core.incident import Finding, Incident, Origin, Seen
from gonka_state.core.telling import Kept

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

_RUN = "id, command, at, seconds, status, whole, in_sync, pending, unknown"
_INCIDENT = "subject, unknown, action, effect, attributes, reason, origin, opened, seen, closed"


@dataclass(frozen=True, slots=True)
class Known:
    """A cluster that the history knows, and its number there."""

    number: int
    name: str
    lab: bool


def clusters(connection: sqlite3.Connection) -> list[Known]:
    """Every cluster that was ever recorded."""
    rows = connection.execute("SELECT id, name, lab FROM clusters ORDER BY name, lab")
    return [Known(number, name, bool(lab)) for number, name, lab in rows]


def known_cluster(connection: sqlite3.Connection, name: str, *, lab: bool) -> Known | None:
    """One cluster; None where nothing of it was ever recorded."""
    return next((item for item in clusters(connection) if (item.name, item.lab) == (name, lab)), None)


def verdicts(connection: sqlite3.Connection, cluster: int, since: float) -> list[tuple[float, Verdict]]:
    """When each whole run ended and what it said of the cluster; also those whose word still held at `since`."""
    rows = connection.execute(
        "SELECT at, status, pending FROM runs WHERE cluster = ? AND at >= ? AND whole ORDER BY at, id",
        (cluster, since - BELIEVED),
    )
    return [(at, verdict(status, pending)) for at, status, pending in rows]


def last_run(connection: sqlite3.Connection, cluster: int) -> Run | None:
    """The latest run that looked at the whole cluster."""
    return _latest(connection, "cluster = ? AND whole ORDER BY at DESC, id DESC", cluster)


def last_of(connection: sqlite3.Connection, command: str) -> Run | None:
    """The latest run of a command, of whichever cluster."""
    return _latest(connection, "command = ? ORDER BY id DESC", command)


def converges(connection: sqlite3.Connection, cluster: int, since: float, limit: int) -> list[Run]:
    """The latest converges, restarts and cleanups that ran something, latest first, with their steps."""
    rows = connection.execute(
        f"SELECT {_RUN} FROM runs WHERE cluster = ? AND at >= ? AND command IN ('converge', 'restart', 'cleanup')"  # noqa: S608 (a constant)
        " AND EXISTS (SELECT 1 FROM steps WHERE run = runs.id) ORDER BY at DESC, id DESC LIMIT ?",
        (cluster, since, limit),
    ).fetchall()
    return [_run(row, _steps(connection, row[0])) for row in rows]


def open_now(connection: sqlite3.Connection, name: str, *, lab: bool) -> dict[str, Seen]:
    """What is known of everything open in a cluster, by subject; where two are open, what differs was hidden."""
    rows = connection.execute(
        "SELECT subject, origin, opened FROM incidents JOIN clusters ON clusters.id = cluster"
        " WHERE name = ? AND lab = ? AND closed IS NULL ORDER BY unknown",
        (name, lab),
    )
    return {subject: Seen(Origin(why), opened) for subject, why, opened in rows}


def open_incidents(connection: sqlite3.Connection, cluster: int) -> list[Incident]:
    """What is open now, longest first."""
    return _incidents(connection, "cluster = ? AND closed IS NULL ORDER BY opened, subject", (cluster,))


def opened_since(connection: sqlite3.Connection, cluster: int, since: float) -> list[Incident]:
    """What opened so late that it may be part of a flapping at `since` or later."""
    return _incidents(
        connection, "cluster = ? AND opened >= ? ORDER BY opened", (cluster, since - FLAP_WINDOW)
    )


def told_incidents(connection: sqlite3.Connection, cluster: int, now: float) -> list[Kept]:
    """What decides about telling: what is open, what was told and its end not, and what may be part of a flapping."""
    rows = connection.execute(
        f"SELECT id, told IS NOT NULL, told_closed IS NOT NULL, flapping, {_INCIDENT} FROM incidents"  # noqa: S608 (a constant)
        " WHERE cluster = ? AND (closed IS NULL OR (told IS NOT NULL AND told_closed IS NULL) OR opened >= ?)",
        (cluster, now - FLAP_WINDOW),
    )
    return [
        Kept(row, _incident(rest), bool(told), bool(told_closed), bool(flapping))
        for row, told, told_closed, flapping, *rest in rows
    ]


def one_run(connection: sqlite3.Connection, number: int) -> tuple[Known, Run, list[Incident]] | None:
    """One run with its steps, its cluster, and what was open after it; None where there is no such run."""
    row = connection.execute(f"SELECT {_RUN}, cluster FROM runs WHERE id = ?", (number,)).fetchone()  # noqa: S608 (a constant)
    if row is None:
        return None
    known = next(item for item in clusters(connection) if item.number == row[-1])
    found = _incidents(
        connection,
        "cluster = ? AND first_run <= ? AND (closed IS NULL OR closing_run > ?) ORDER BY subject",
        (known.number, number, number),
    )
    return known, _run(row[:-1], _steps(connection, number)), found


def _latest(connection: sqlite3.Connection, where: str, value: int | str) -> Run | None:
    row = connection.execute(f"SELECT {_RUN} FROM runs WHERE {where} LIMIT 1", (value,)).fetchone()  # noqa: S608 (constants)
    return _run(row) if row else None


def _run(row: Sequence[Any], steps: Iterable[Step] = ()) -> Run:
    number, command, at, seconds, status, whole, in_sync, pending, unknown = row
    return Run(number, command, at, seconds, status, bool(whole), in_sync, pending, unknown, tuple(steps))


def _steps(connection: sqlite3.Connection, run: int) -> list[Step]:
    rows = connection.execute(
        "SELECT address, action, effect, status, seconds, detail FROM steps WHERE run = ? ORDER BY position",
        (run,),
    )
    return [Step(*row) for row in rows]


def _incidents(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Incident]:
    rows = connection.execute(f"SELECT {_INCIDENT} FROM incidents WHERE {where}", values)  # noqa: S608 (constants)
    return [_incident(row) for row in rows]


def _incident(row: Sequence[Any]) -> Incident:
    subject, unknown, action, effect, attributes, reason, origin, opened, seen, closed = row
    changes = tuple(AttributeChange(name, before, after) for name, before, after in json.loads(attributes))
    finding = Finding(subject, bool(unknown), action, effect, changes, reason)
    return Incident(finding, Origin(origin), opened, seen, closed)
