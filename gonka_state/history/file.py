"""The file that holds the history: one SQLite database per user, under XDG state."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gonka_state.core import xdg
from gonka_state.errors import GonkaStateError, said_by
from gonka_state.history.tables import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 10.0
"""Seconds to wait for another process that is writing; one record takes milliseconds."""

_PAUSE = 0.05


def history_file() -> Path:
    """Where the history of this user is."""
    return xdg.state_home() / "gonka-state" / "history.db"


def recorded(file: Path) -> bool:
    """Whether there is a history.

    Raises:
        GonkaStateError: somebody else's directory is in the way.
    """
    try:
        return file.exists()
    except OSError as error:
        raise GonkaStateError(f"the history {file} cannot be read: {said_by(error)}") from error


def key_file(file: Path) -> Path:
    """Where the key of its digests is."""
    return file.with_suffix(".key")


@contextmanager
def opened(file: Path) -> Iterator[sqlite3.Connection]:
    """The database, made where it is not there yet, for its owner alone.

    Raises:
        GonkaStateError: it can be neither opened nor written; says why in one line.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        # Nothing is begun behind our back: transactions are written out.
        connection = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)
        try:
            _prepare(connection)
            yield connection
        finally:
            connection.close()
    except (OSError, sqlite3.Error) as error:
        raise GonkaStateError(
            f"the history {file} cannot be used: {said_by(error)}",
            hint="is there room, and is the file yours? Moved away, it is made anew",
        ) from error


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """One transaction that waits for its turn before it reads anything: all of it is kept, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError:
            # SQLite does not wait here, also where it was told to be patient.
            if time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
    migrate(connection)
