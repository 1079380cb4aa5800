"""The tables of the history, and how older files become newer ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.errors import GonkaStateError

if TYPE_CHECKING:
    import sqlite3

MIGRATIONS = (
    """
    CREATE TABLE clusters (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, lab INTEGER NOT NULL, UNIQUE (name, lab)
    );
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster INTEGER NOT NULL REFERENCES clusters ON DELETE CASCADE,
        command TEXT NOT NULL, at REAL NOT NULL, seconds REAL NOT NULL, status INTEGER NOT NULL,
        whole INTEGER NOT NULL, in_sync INTEGER NOT NULL, pending INTEGER NOT NULL, unknown INTEGER NOT NULL
    );
    CREATE INDEX runs_by_time ON runs (cluster, at);
    CREATE TABLE steps (
        run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, position INTEGER NOT NULL,
        address TEXT NOT NULL, action TEXT NOT NULL, effect TEXT NOT NULL, status TEXT NOT NULL,
        seconds REAL NOT NULL, detail TEXT NOT NULL,
        PRIMARY KEY (run, position)
    ) WITHOUT ROWID;
    CREATE TABLE incidents (
        id INTEGER PRIMARY KEY,
        cluster INTEGER NOT NULL REFERENCES clusters ON DELETE CASCADE,
        subject TEXT NOT NULL, unknown INTEGER NOT NULL, origin TEXT NOT NULL,
        action TEXT NOT NULL, effect TEXT NOT NULL, attributes TEXT NOT NULL, reason TEXT NOT NULL,
        first_run INTEGER NOT NULL, opened REAL NOT NULL, seen REAL NOT NULL,
        closing_run INTEGER, closed REAL
    );
    CREATE UNIQUE INDEX incidents_open ON incidents (cluster, subject, unknown) WHERE closed IS NULL;
    CREATE INDEX incidents_by_time ON incidents (cluster, opened);
    CREATE TABLE wishes (
        cluster INTEGER NOT NULL REFERENCES clusters ON DELETE CASCADE,
        address TEXT NOT NULL, digest TEXT NOT NULL,
        PRIMARY KEY (cluster, address)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE incidents ADD COLUMN told REAL;
    ALTER TABLE incidents ADD COLUMN told_closed REAL;
    ALTER TABLE incidents ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        cluster INTEGER NOT NULL REFERENCES clusters ON DELETE CASCADE,
        receiver TEXT NOT NULL, occasion TEXT NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL,
        made REAL NOT NULL, taken REAL
    );
    CREATE INDEX messages_by_receiver ON messages (cluster, receiver, id);
    """,
    # A year of verdicts is read from the index alone.
    """
    DROP INDEX runs_by_time;
    CREATE INDEX runs_by_time ON runs (cluster, at, id, whole, status, pending);
    """,
    """
    ALTER TABLE clusters ADD COLUMN wish TEXT NOT NULL DEFAULT '';
    CREATE TABLE receivers (
        cluster INTEGER NOT NULL REFERENCES clusters ON DELETE CASCADE,
        receiver TEXT NOT NULL,
        PRIMARY KEY (cluster, receiver)
    ) WITHOUT ROWID;
    """,
)
"""Each makes the next version of the file; `PRAGMA user_version` counts those that were made."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the newest version, whoever else tries the same at this moment.

    Raises:
        GonkaStateError: a newer program wrote it.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        _steps_from(_version(connection), connection)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _steps_from(version: int, connection: sqlite3.Connection) -> None:
    if version > len(MIGRATIONS):
        raise GonkaStateError(
            "the history was written by a newer gonka-state", hint="use that one, or move the file away"
        )
    for number, script in enumerate(MIGRATIONS[version:], version + 1):
        for statement in filter(str.strip, script.split(";")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
