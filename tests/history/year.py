"""A history as two clusters leave it that are checked every five minutes: `python tests/history/year.py FILE [DAYS]`.

Every eighth hour something drifts and is closed by a converge two checks later; once a day a host gives no answer.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.history.file import opened, writing

if TYPE_CHECKING:
    import sqlite3

EVERY, DAY = 300, 86400
CHECKS_A_DAY = DAY // EVERY
RESOURCES = 326


def fill(connection: sqlite3.Connection, days: int, now: float) -> int:
    """Write `days` of checks that end now; returns how many runs that were."""
    with writing(connection):
        for number, name in enumerate(("cluster1", "cluster2"), 1):
            connection.execute("INSERT INTO clusters (id, name, lab) VALUES (?, ?, 0)", (number, name))
            _cluster(connection, number, days, now - days * DAY)
    return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])


def _cluster(connection: sqlite3.Connection, cluster: int, days: int, begin: float) -> None:
    runs, steps, incidents = [], [], []
    first = (cluster - 1) * 10_000_000
    for check in range(days * CHECKS_A_DAY):
        run, at, turn = first + check + 1, begin + (check + 1) * EVERY, check % 96
        status, pending, unknown, command = 0, 0, 0, "drift"
        if turn in {0, 1}:
            status, pending = 2, 1
        elif turn == 2:
            command = "converge"
            subject = f"cluster{cluster}-ml-0{check % 5 + 1}/firewall-rule:5050/tcp"
            steps.append((run, 0, subject, "update", "safe", "changed", 0.2, ""))
            attributes = json.dumps([("from", ["any"], ["192.168.1.106"])])
            incidents.append((cluster, subject, 0, "drift", "update", "safe", attributes, "", run - 2,
                              at - 2 * EVERY, at - EVERY, run, at))  # fmt: skip
        elif check % CHECKS_A_DAY == 150:
            status, unknown = 3, 54
            incidents.append((cluster, f"cluster{cluster}-ml-05", 1, "unknown", "", "", "[]",
                              "no answer from 192.168.1.111 port 22", run, at, at, run + 1, at + EVERY))  # fmt: skip
        in_sync = RESOURCES - pending - unknown
        runs.append((run, cluster, command, at, 1.9, status, 1, in_sync, pending, unknown))
    connection.executemany("INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", runs)
    connection.executemany("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?)", steps)
    connection.executemany(
        "INSERT INTO incidents (cluster, subject, unknown, origin, action, effect, attributes, reason, first_run,"
        " opened, seen, closing_run, closed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        incidents,
    )
    wishes = [(cluster, f"cluster{cluster}-ml-01/file:/{n}", f"{n:016x}") for n in range(RESOURCES)]
    connection.executemany("INSERT INTO wishes VALUES (?, ?, ?)", wishes)


if __name__ == "__main__":
    with opened(Path(sys.argv[1])) as made:
        days = int(sys.argv[2]) if len(sys.argv) > 2 else 365
        sys.stdout.write(f"{fill(made, days, time.time())} runs\n")
