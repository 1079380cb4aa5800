"""Messages are written once, delivered by one, and wait for whoever does not take them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.history import FLAP_WINDOW
from gonka_state.core.notice import Notice, Occasion
from gonka_state.history.file import opened
from gonka_state.history.outbox import KEPT_FOR, LEASE, Outbox, outbox
from gonka_state.history.read import told_incidents
from gonka_state.history.tables import MIGRATIONS
from tests.history.conftest import Store, differing, looked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.core.plan import Plan
    from gonka_state.core.telling import Kept, Telling

A, B = "host/file:a", "host/file:b"
TELLER = """
import sys, time
from pathlib import Path
from tests.history.test_outbox import told_by
from tests.history.conftest import Store
while time.time() < float(sys.argv[2]):
    pass
print(*told_by(Store(Path(sys.argv[1]), time.time() + 30)), sep="\\n")
"""


def compose(found: Telling) -> Iterator[Notice]:
    """A message per occasion that names what it is about; it takes its time, so that others may come between."""
    time.sleep(0.2 if found else 0)
    for occasion, rows in (
        (Occasion.INCIDENT, found.opened + found.flapping),
        (Occasion.RECOVERY, found.closed),
    ):
        if rows:
            yield Notice(occasion, f"{occasion}: {' '.join(row.subject for row in rows)}", "body")


def tell(store: Store, plan: Plan, *receivers: str) -> None:
    """As drift does after a look that has just been recorded."""
    began = store.now - 1
    with opened(store.file) as connection:
        box = outbox(connection, plan)
        assert box is not None
        if box.settle(plan, began):
            box.write(plan, began, receivers or ("r",), compose)


def deliver(store: Store, receiver: str = "r", *, fails: bool = False) -> list[str]:
    """What is delivered to a receiver now; of what is not taken the first."""
    said = []
    with opened(store.file) as connection:
        box = Outbox(connection, 1)
        while (waiting := box.take(receiver)) is not None:
            said.append(waiting.notice.subject)
            if fails:
                box.put_back(waiting)
                break
            box.delivered(waiting)
    return said


def told_by(store: Store) -> list[str]:
    """Another process: it looks, records and tells."""
    plan = looked(differing("a"), differing("b"))
    store.keep(plan)
    tell(store, plan)
    return deliver(store)


@pytest.fixture
def ticking(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store whose clock is everybody's."""
    monkeypatch.setattr(time, "time", lambda: store.now)
    return store


def check(store: Store, plan: Plan, *receivers: str) -> None:
    store.keep(plan)
    tell(store, plan, *receivers)


def rows(store: Store) -> list[Kept]:
    with opened(store.file) as connection:
        return told_incidents(connection, 1, store.now)


def test_one_message_per_incident_and_one_when_it_is_over(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")))
    assert deliver(ticking) == []
    check(ticking, looked(differing("a")))
    assert deliver(ticking) == [f"incident: {A}"]
    check(ticking, looked(differing("a"), differing("b")))
    check(ticking, looked(differing("a"), differing("b")))
    assert deliver(ticking) == [f"incident: {B}"]
    check(ticking, looked(differing("b")))
    assert deliver(ticking) == [f"recovery: {A}"]
    check(ticking, looked())
    assert deliver(ticking) == [f"recovery: {B}"]
    check(ticking, looked())
    assert deliver(ticking) == []


def test_what_was_over_within_one_check_is_never_told(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")))
    check(ticking, looked())
    check(ticking, looked())

    assert deliver(ticking) == []


def test_what_a_converge_closed_is_told_by_the_next_drift(ticking: Store) -> None:
    check(ticking, looked(differing("a"), differing("b")))
    check(ticking, looked(differing("a"), differing("b")))
    ticking.keep(looked(), whole=False, command="converge", settled=(A,))
    check(ticking, looked(differing("b")))

    assert deliver(ticking) == [f"incident: {A} {B}", f"recovery: {A}"]


def test_what_is_not_taken_waits_in_order_and_for_that_receiver_alone(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")), "r", "s")
    check(ticking, looked(differing("a")), "r", "s")
    assert deliver(ticking, "s") == [f"incident: {A}"]
    assert deliver(ticking, "r", fails=True) == [f"incident: {A}"]
    check(ticking, looked(), "r", "s")

    assert deliver(ticking, "s") == [f"recovery: {A}"]
    assert deliver(ticking, "r") == [f"incident: {A}", f"recovery: {A}"]


def test_who_died_while_delivering_holds_a_message_only_for_a_while(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")))
    check(ticking, looked(differing("a")))
    with opened(ticking.file) as connection:
        assert Outbox(connection, 1).take("r") is not None

    assert deliver(ticking) == []
    ticking.now += LEASE + 1
    assert deliver(ticking) == [f"incident: {A}"]


def give_up(store: Store, *receivers: str) -> int:
    with opened(store.file) as connection:
        return Outbox(connection, 1).give_up(receivers)


def test_what_nobody_takes_is_given_up_when_it_is_over(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")))
    check(ticking, looked(differing("a")))
    ticking.now += KEPT_FOR + 1
    check(ticking, looked(differing("a")))
    assert give_up(ticking, "r") == 0
    assert deliver(ticking, fails=True) == [f"incident: {A}"]

    check(ticking, looked())
    assert give_up(ticking, "r") == 1
    assert deliver(ticking) == [f"recovery: {A}"]


def test_who_is_gone_waits_for_nothing(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")), "r", "gone")
    check(ticking, looked(differing("a")), "r", "gone")
    assert give_up(ticking, "r", "gone") == 0
    assert give_up(ticking, "r") == 0

    assert deliver(ticking, "gone") == []
    assert deliver(ticking, "r") == [f"incident: {A}"]


def test_what_waits_for_a_url_that_was_corrected_is_for_the_new_one(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(differing("a")), "r", "wrong")
    check(ticking, looked(differing("a")), "r", "wrong")
    assert give_up(ticking, "r", "wrong") == 0
    assert deliver(ticking, "r") == [f"incident: {A}"]
    assert deliver(ticking, "wrong", fails=True) == [f"incident: {A}"]
    check(ticking, looked(), "r", "right", "third")
    assert give_up(ticking, "r", "right", "third") == 0

    assert deliver(ticking, "r") == [f"recovery: {A}"]
    assert deliver(ticking, "right") == [f"incident: {A}", f"recovery: {A}"]
    assert sorted(deliver(ticking, "third")) == [f"incident: {A}", f"recovery: {A}"]
    assert deliver(ticking, "wrong") == []


def test_what_flaps_is_said_once_and_its_end_when_it_was_calm(ticking: Store) -> None:
    check(ticking, looked())
    for _ in range(6):
        check(ticking, looked(differing("a")))
        check(ticking, looked())

    assert deliver(ticking) == [f"incident: {A}"]
    assert [row.flapping for row in rows(ticking)] == [False, False, True, False, False, False]
    ticking.now += FLAP_WINDOW
    check(ticking, looked())
    assert deliver(ticking) == [f"recovery: {A}"]


def test_what_is_over_without_a_message_asks_for_no_receiver(ticking: Store) -> None:
    off = looked(unknown="is off")
    worked_on = replace(off, hosts=(replace(off.hosts[0], maintenance="new disks"),))
    check(ticking, looked())
    check(ticking, off)
    check(ticking, off)
    assert deliver(ticking) == ["incident: host"]
    ticking.keep(worked_on)

    with opened(ticking.file) as connection:
        assert Outbox(connection, 1).settle(worked_on, ticking.now - 1) is False
    check(ticking, looked())
    assert deliver(ticking) == []


def test_a_lab_has_messages_of_its_own(ticking: Store) -> None:
    check(ticking, looked())
    check(ticking, looked(lab=True))
    for _ in range(2):
        check(ticking, looked(differing("a"), lab=True))

    assert deliver(ticking) == []
    with sqlite3.connect(ticking.file) as connection:
        assert connection.execute("SELECT cluster FROM messages").fetchall() == [(2,)]
    connection.close()


def test_runs_at_the_same_time_tell_once(store: Store) -> None:
    store.now = time.time() - 600
    store.keep(looked())
    store.keep(looked(differing("a"), differing("b")))
    start = str(time.time() + 3)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TELLER, str(store.file), start], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[0].split("\n") for process in processes]

    assert [process.returncode for process in processes] == [0] * 4
    assert sorted(line for lines in said for line in lines if line) == [f"incident: {A} {B}"]


def test_a_history_of_any_version_goes_on(store: Store) -> None:
    for version in range(len(MIGRATIONS) + 1):
        file = store.file.with_name(f"version-{version}.db")
        file.parent.mkdir(exist_ok=True)
        with sqlite3.connect(file) as connection:
            for statement in (text for script in MIGRATIONS[:version] for text in script.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
        connection.close()
        older = Store(file)

        check(older, looked(differing("a")))
        with opened(file) as connection:
            assert Outbox(connection, 1).give_up(["r"]) == 0


def test_a_history_from_before_there_were_messages_goes_on(store: Store) -> None:
    store.file.parent.mkdir()
    with sqlite3.connect(store.file) as connection:
        for statement in filter(str.strip, MIGRATIONS[0].split(";")):
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        connection.execute("INSERT INTO clusters VALUES (1, 'tiny', 0)")
        connection.execute(
            "INSERT INTO incidents VALUES (1, 1, ?, 0, 'drift', 'update', 'safe', '[]', '', 1, 5.0, 6.0, NULL, NULL)",
            (A,),
        )
    connection.close()

    plan = looked(differing("a"))
    store.keep(plan)
    tell(store, plan)

    assert deliver(store) == [f"incident: {A}"]
