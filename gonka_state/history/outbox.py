"""Messages that wait to be delivered: what is to be told is decided and written down in one transaction, once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.notice import Notice, Occasion
from gonka_state.core.telling import Check, Kept, telling
from gonka_state.core.units import DAY, MINUTE
from gonka_state.history.file import writing
from gonka_state.history.read import known_cluster, told_incidents

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Collection, Iterable, Sequence

    from gonka_state.core.plan import Plan
    from gonka_state.core.telling import Telling

LEASE = 10 * MINUTE
"""Seconds after which whoever took a message to deliver it is believed to be dead."""

KEPT_FOR = DAY
"""Seconds for which a message that is not taken is tried again; one of something still open, as long as it is."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that this process alone delivers now."""

    row: int
    notice: Notice


@dataclass(frozen=True, slots=True)
class Outbox:
    """The messages of one cluster. `cluster` is its number in the history."""

    connection: sqlite3.Connection
    cluster: int

    def settle(self, plan: Plan, began: float) -> bool:
        """Be done with what needs no message; whether there is something to tell, or something waiting."""
        found = self._telling(plan, began)
        if found.settled:
            with writing(self.connection):
                self._mark("told_closed = ?", found.settled, time.time())
        held = self._ask("SELECT EXISTS (SELECT 1 FROM messages WHERE cluster = ?)")
        return bool(found or held.fetchone()[0])

    def write(
        self,
        plan: Plan,
        began: float,
        receivers: Collection[str],
        compose: Callable[[Telling], Iterable[Notice]],
    ) -> None:
        """Put what a look brought up into the outbox of each receiver; whoever looked at the same time finds it told.

        `receivers` are digests of URLs.
        """
        with writing(self.connection):
            found, now = self._telling(plan, began), time.time()
            rows = [
                (self.cluster, receiver, str(notice.occasion), notice.subject, notice.body, now)
                for notice in compose(found)
                for receiver in receivers
            ]
            self.connection.executemany(
                "INSERT INTO messages (cluster, receiver, occasion, subject, body, made) VALUES (?, ?, ?, ?, ?, ?)",
                rows,
            )
            self._mark("told = ?, flapping = 0", found.opened, now)
            self._mark("told = ?, flapping = 1", found.flapping, now)
            self._mark("told_closed = ?", (*found.closed, *found.settled), now)

    def give_up(self, receivers: Sequence[str]) -> int:
        """Drop what is out of date and what is for nobody any more; how many were out of date.

        Where receivers went and others came, a URL was corrected: what waited for the old ones is for the new ones.
        """
        with writing(self.connection):
            known = {row[0] for row in self._ask("SELECT receiver FROM receivers WHERE cluster = ?")}
            waiting = {row[0] for row in self._ask("SELECT receiver FROM messages WHERE cluster = ?")}
            fresh = [name for name in receivers if known and name not in known]
            for gone in sorted(waiting.difference(receivers)):
                self._hand_over(gone, fresh)
            self._ask("DELETE FROM receivers WHERE cluster = ?")
            rows = [(self.cluster, name) for name in receivers]
            self.connection.executemany("INSERT INTO receivers VALUES (?, ?)", rows)
            dropped = self._ask(
                "DELETE FROM messages WHERE cluster = ? AND made < ? AND NOT EXISTS (SELECT 1 FROM incidents"
                " WHERE incidents.cluster = messages.cluster AND told = made AND closed IS NULL)",
                time.time() - KEPT_FOR,
            )
        return dropped.rowcount

    def take(self, receiver: str) -> Waiting | None:
        """The oldest message for a receiver; None where there is none, or where somebody else delivers it."""
        with writing(self.connection):
            now = time.time()
            row = self.connection.execute(
                "SELECT id, taken, occasion, subject, body FROM messages WHERE cluster = ? AND receiver = ?"
                " ORDER BY id LIMIT 1",
                (self.cluster, receiver),
            ).fetchone()
            if row is None or (row[1] is not None and row[1] > now - LEASE):
                return None
            self.connection.execute("UPDATE messages SET taken = ? WHERE id = ?", (now, row[0]))
        return Waiting(row[0], Notice(Occasion(row[2]), row[3], row[4]))

    def delivered(self, waiting: Waiting) -> None:
        """It was taken: nothing of it is kept."""
        self.connection.execute("DELETE FROM messages WHERE id = ?", (waiting.row,))

    def put_back(self, waiting: Waiting) -> None:
        """It was not taken: the next one tries again."""
        self.connection.execute("UPDATE messages SET taken = NULL WHERE id = ?", (waiting.row,))

    def _hand_over(self, gone: str, fresh: Sequence[str]) -> None:
        for name in fresh[1:]:
            self.connection.execute(
                "INSERT INTO messages (cluster, receiver, occasion, subject, body, made) SELECT cluster, ?, occasion,"
                " subject, body, made FROM messages WHERE cluster = ? AND receiver = ? ORDER BY id",
                (name, self.cluster, gone),
            )
        if fresh:  # The row is kept, and with it its place before what was written since.
            self.connection.execute(
                "UPDATE messages SET receiver = ?, taken = NULL WHERE cluster = ? AND receiver = ?",
                (fresh[0], self.cluster, gone),
            )
        self._ask("DELETE FROM messages WHERE cluster = ? AND receiver = ?", gone)

    def _ask(self, statement: str, *values: object) -> sqlite3.Cursor:
        return self.connection.execute(statement, (self.cluster, *values))

    def _telling(self, plan: Plan, began: float) -> Telling:
        before = self.connection.execute(
            "SELECT max(at) FROM runs WHERE cluster = ? AND whole AND at <= ?", (self.cluster, began)
        ).fetchone()[0]
        check = Check(plan, began, time.time(), before)
        return telling(told_incidents(self.connection, self.cluster, check.now), check)

    def _mark(self, what: str, kept: Iterable[Kept], now: float) -> None:
        self.connection.executemany(
            f"UPDATE incidents SET {what} WHERE id = ?",  # noqa: S608 (constants)
            [(now, item.row) for item in kept],
        )


def outbox(connection: sqlite3.Connection, plan: Plan) -> Outbox | None:
    """The outbox of a plan's cluster; None where nothing of it was ever recorded."""
    known = known_cluster(connection, plan.cluster, lab=plan.lab)
    return None if known is None else Outbox(connection, known.number)
