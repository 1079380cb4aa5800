"""Writing: one look or converge becomes a run, opens and closes incidents, and remembers what was in sync."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from gonka_state.core.incident import Finding, Origin, findings, origin, still_open
from gonka_state.core.units import DAY
from gonka_state.history.file import writing
from gonka_state.history.read import open_now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from gonka_state.core.history import Step
    from gonka_state.core.incident import Seen
    from gonka_state.core.observation import Value
    from gonka_state.core.plan import Plan

LONGEST = 2000
"""Characters of one value that are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be recorded of one run. `at` in seconds since 1970, `keep` in days.

    `whole` says that the plan is about everything that is declared. `declared` are the addresses of all that is,
    and `wishes` the digests by address, without those that wait for an operator's value. `status` is that of the
    run on this cluster; `seconds` how long it took; `settled` what its steps closed. `guest` says that what is wished
    is only believed where the last check or converge wished the same.
    """

    command: str
    plan: Plan
    whole: bool
    at: float
    seconds: float
    status: int
    keep: int
    wishes: Mapping[str, str] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()
    steps: tuple[Step, ...] = ()
    settled: tuple[str, ...] = ()
    guest: bool = False

    @property
    def wish(self) -> str:
        """One digest of all wishes."""
        return sha256(json.dumps(sorted(self.wishes.items())).encode()).hexdigest()


def record(connection: sqlite3.Connection, entry: Entry) -> dict[str, Seen]:
    """Keep one run, and what is open after it by subject.

    A run that is not whole says nothing of the cluster: only what its steps closed (`settled`) is taken over. Neither
    does a guest's whose wish is another: somebody tries something out, or has another copy of the YAML.
    """
    with writing(connection):
        cluster, wish = _cluster(connection, entry.plan)
        if entry.guest and wish not in {"", entry.wish}:
            entry = replace(entry, whole=False)
        elif entry.whole and not entry.guest:
            connection.execute("UPDATE clusters SET wish = ? WHERE id = ?", (entry.wish, cluster))
        writer = _Writer(connection, cluster, _run(connection, cluster, entry), entry)
        writer.forget()
        last = dict(connection.execute("SELECT address, digest FROM wishes WHERE cluster = ?", (cluster,)))
        found = findings(entry.plan) if entry.whole else ()
        writer.close({(item.subject, item.unknown) for item in found}, last)
        for item in found:
            writer.open(item, origin(item, entry.wishes.get(item.subject), last.get(item.subject)))
        writer.remember(last)
        return open_now(connection, entry.plan.cluster, lab=entry.plan.lab)


def forget(connection: sqlite3.Connection, name: str | None, *, lab: bool) -> None:
    """Take a cluster out of the history, all of them where no name is given."""
    with writing(connection):
        connection.execute(
            "DELETE FROM clusters WHERE lab = ? AND (name = ? OR ? IS NULL)", (lab, name, name)
        )


def _cluster(connection: sqlite3.Connection, plan: Plan) -> tuple[int, str]:
    """Its number, and the digest of what was wished last."""
    row = (plan.cluster, plan.lab)
    connection.execute("INSERT OR IGNORE INTO clusters (name, lab) VALUES (?, ?)", row)
    number, wish = connection.execute(
        "SELECT id, wish FROM clusters WHERE name = ? AND lab = ?", row
    ).fetchone()
    return int(number), str(wish)


def _run(connection: sqlite3.Connection, cluster: int, entry: Entry) -> int:
    plan = entry.plan
    pending = sum(1 for change in plan.pending if not change.conditional)
    row = (cluster, entry.command, entry.at, round(entry.seconds, 3), entry.status,
           entry.whole, plan.in_sync, pending, len(plan.unknown))  # fmt: skip
    made = connection.execute(
        "INSERT INTO runs (cluster, command, at, seconds, status, whole, in_sync, pending, unknown)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    run = int(made.lastrowid or 0)
    connection.executemany(
        "INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (run, position, s.address, s.action, s.effect, s.status, s.seconds, s.detail[:LONGEST])
            for position, s in enumerate(entry.steps)
        ],
    )
    return run


@dataclass(frozen=True, slots=True)
class _Writer:
    """What follows from one run for everything that is kept of its cluster."""

    connection: sqlite3.Connection
    cluster: int
    run: int
    entry: Entry

    def forget(self) -> None:
        """Let go of what is older than is to be kept, but not of all on one word of a clock that may be wrong."""
        newest = self.connection.execute(
            "SELECT max(at) FROM runs WHERE cluster = ? AND id < ?", (self.cluster, self.run)
        ).fetchone()[0]
        now = self.entry.at if newest is None else min(self.entry.at, newest)
        oldest = (self.cluster, now - self.entry.keep * DAY)
        self.connection.execute("DELETE FROM runs WHERE cluster = ? AND at < ?", oldest)
        self.connection.execute("DELETE FROM incidents WHERE cluster = ? AND closed < ?", oldest)

    def close(self, found: Collection[tuple[str, bool]], last: Collection[str]) -> None:
        """Close what is open and was neither found again nor hidden from this look; `last` was in sync once."""
        rows = self.connection.execute(
            "SELECT id, subject, unknown, origin FROM incidents WHERE cluster = ? AND closed IS NULL",
            (self.cluster,),
        ).fetchall()
        over = [
            (self.entry.at, self.run, number)
            for number, subject, unknown, why in rows
            if self._over(subject, bool(unknown), found, stray=why == Origin.DRIFT and subject not in last)
        ]
        self.connection.executemany("UPDATE incidents SET closed = ?, closing_run = ? WHERE id = ?", over)

    def _over(self, subject: str, unknown: bool, found: Collection[tuple[str, bool]], *, stray: bool) -> bool:  # noqa: FBT001 (a value of the row)
        if not self.entry.whole:
            return subject in self.entry.settled
        return (subject, unknown) not in found and not still_open(
            subject, unknown=unknown, stray=stray, plan=self.entry.plan
        )

    def open(self, item: Finding, why: Origin) -> None:
        """Open an incident, or see again what is open already."""
        at = self.entry.at
        self.connection.execute(
            "INSERT INTO incidents (cluster, subject, unknown, origin, action, effect, attributes, reason,"
            " first_run, opened, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (cluster, subject, unknown) WHERE closed IS NULL DO UPDATE SET"
            " origin = excluded.origin, action = excluded.action, effect = excluded.effect,"
            " attributes = excluded.attributes, reason = excluded.reason, seen = excluded.seen",
            (self.cluster, item.subject, item.unknown, str(why), item.action, item.effect,
             _attributes(item), item.reason[:LONGEST], self.run, at, at),
        )  # fmt: skip

    def remember(self, last: Mapping[str, str]) -> None:
        """Keep the wishes that are fulfilled now, and let go of those that nobody has any more."""
        entry = self.entry
        synced = [*map(str, entry.plan.synced if entry.whole else ()), *entry.settled]
        rows = [
            (self.cluster, address, wish)
            for address in synced
            if (wish := entry.wishes.get(address)) and last.get(address) != wish
        ]
        self.connection.executemany("INSERT OR REPLACE INTO wishes VALUES (?, ?, ?)", rows)
        gone = [(self.cluster, name) for name in last if entry.whole and name not in entry.declared]
        self.connection.executemany("DELETE FROM wishes WHERE cluster = ? AND address = ?", gone)


def _attributes(item: Finding) -> str:
    rows = [(i.name, _kept(i.before), _kept(i.after)) for i in item.attributes]
    return json.dumps(rows, default=list)


def _kept(value: Value) -> Value:
    text = value if isinstance(value, str) else json.dumps(value, default=list)
    return value if len(text) <= LONGEST else f"{len(text)} characters"
