"""What checks and converges leave behind: incidents that open and close, and who moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.history import Step
from gonka_state.core.incident import Incident, Origin, Seen
from gonka_state.core.units import DAY
from gonka_state.history import read
from gonka_state.history.file import opened
from gonka_state.history.overview import detail, overview
from gonka_state.history.record import LONGEST, forget
from tests.history.conftest import Store, differing, looked

if TYPE_CHECKING:
    from gonka_state.core.overview import Detail, Overview

A, B = "host/file:a", "host/file:b"
STEP = Step(A, "update", "safe", "changed", 0.2)


def incidents(store: Store) -> list[Incident]:
    with opened(store.file) as connection:
        return read.opened_since(connection, 1, 0)


def over(store: Store, since: float = 1_000_000.0) -> Overview:
    with opened(store.file) as connection:
        return overview(connection, read.clusters(connection)[0], since, store.now)


def number(store: Store, run: int) -> Detail:
    with opened(store.file) as connection:
        found = detail(connection, run)
    assert found is not None
    return found


def test_drift_is_what_moves_away_from_a_wish_that_stays(store: Store) -> None:
    assert store.keep(looked()) == {}
    opened_at = store.now + 60

    assert store.keep(looked(differing("a"))) == {A: Seen(Origin.DRIFT, opened_at)}
    assert store.keep(looked(differing("a"), differing("b"))) == {
        A: Seen(Origin.DRIFT, opened_at),
        B: Seen(Origin.DRIFT, opened_at + 60),
    }


def test_pending_is_a_wish_that_moved_or_was_never_seen_fulfilled(store: Store) -> None:
    assert store.keep(looked(differing("a")))[A].origin is Origin.PENDING
    store.keep(looked())

    assert store.keep(looked(differing("a")), {A: "2"})[A].origin is Origin.PENDING
    assert store.keep(looked(differing("a")), {A: "1"})[A].origin is Origin.DRIFT


def test_one_incident_lasts_until_it_was_seen_in_sync(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a", "one")))
    store.keep(looked(differing("a", "two")))
    store.keep(looked())
    store.keep(looked(differing("a")))

    first, second = incidents(store)
    assert (first.opened, first.seen, first.closed) == (1_000_120, 1_000_180, 1_000_240)
    assert first.finding.attributes[0].before == "two"
    assert (second.opened, second.closed) == (1_000_300, None)


def test_a_host_that_is_off_closes_nothing(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a")))
    unseen = [Change(Address("host", "file", name), Action.UNKNOWN) for name in ("a", "b", "c")]
    store.keep(looked(*unseen, unknown="is off"))

    assert [(i.finding.subject, i.origin) for i in over(store).open] == [
        (A, Origin.DRIFT),
        ("host", Origin.UNKNOWN),
    ]
    store.keep(looked(differing("a")))
    assert [(i.finding.subject, i.opened) for i in over(store).open] == [(A, 1_000_120)]


def test_what_nobody_declares_any_more_is_over(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a")))
    store.keep(looked(names=("b", "c")))

    assert [i.closed for i in incidents(store)] == [store.now]


def test_a_run_that_is_not_whole_says_nothing_of_the_cluster(store: Store) -> None:
    store.keep(looked(differing("a"), differing("b")))
    store.keep(looked(), whole=False, command="converge", steps=(STEP,), settled=(A,))

    found = over(store)
    assert [i.finding.subject for i in found.open] == [B]
    assert (found.checks, [run.number for run in found.converges]) == (1, [2])
    # What its step fulfilled is a wish that was seen fulfilled.
    assert store.keep(looked(differing("a"), differing("b")))[A].origin is Origin.DRIFT


def test_a_run_in_full(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a"), differing("b")))
    store.keep(looked(differing("b")), command="converge", steps=(STEP,), settled=(A,), status=5)

    assert [i.finding.subject for i in number(store, 2).open] == [A, B]
    one = number(store, 3)
    assert [i.finding.subject for i in one.open] == [B]
    assert (one.run.command, one.run.steps, one.run.status) == ("converge", (STEP,), 5)
    assert (one.run.in_sync, one.run.pending, one.run.seconds) == (2, 1, 1.5)


def runs(store: Store) -> list[int]:
    with opened(store.file) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM runs ORDER BY id")]


def test_what_is_old_goes_and_what_is_open_stays(store: Store) -> None:
    store.keep(looked(differing("a"), differing("b")))
    store.keep(looked(differing("b")))
    store.now += 10 * DAY
    # Alone, this may be a clock that is wrong.
    store.keep(looked(differing("b")), keep=9, command="converge", steps=(STEP,))
    assert runs(store) == [1, 2, 3]
    store.keep(looked(differing("b")), keep=9)

    assert [i.finding.subject for i in incidents(store)] == [B]
    assert runs(store) == [3, 4]
    # Where checks are rarer than that, the last two are kept.
    for _ in range(3):
        store.now += 10 * DAY
        store.keep(looked(differing("b")), keep=9)
    assert runs(store) == [6, 7]


def test_what_is_declared_no_more_is_over_though_its_kind_is_not_seen(store: Store) -> None:
    unseen = Change(Address("host", "file", "c"), Action.UNKNOWN)
    stray = Change(Address("host", "file", "stray"), Action.DELETE)
    store.keep(looked())
    store.keep(looked(differing("a"), stray))
    assert {i.finding.subject for i in incidents(store)} == {A, "host/file:stray"}

    store.keep(looked(unseen, names=("b",)))

    assert [i.finding.subject for i in incidents(store) if i.closed is None and not i.finding.unknown] == [
        "host/file:stray"
    ]


def test_a_diff_of_another_wish_says_nothing_of_the_cluster(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a")))
    edited = {A: "2"}
    store.keep(looked(), edited, command="diff", guest=True)
    assert [i.closed for i in incidents(store)] == [None]
    assert store.keep(looked(differing("a")))[A].origin is Origin.DRIFT

    # Once a converge wishes the same, it is one look more.
    store.keep(looked(differing("a")), edited, command="converge")
    store.keep(looked(), edited, command="diff", guest=True)
    assert incidents(store)[0].closed is not None


def test_a_lab_is_not_the_cluster_it_rehearses(store: Store) -> None:
    store.keep(looked())
    store.keep(looked(differing("a"), lab=True))

    with opened(store.file) as connection:
        assert [(k.name, k.lab) for k in read.clusters(connection)] == [("tiny", False), ("tiny", True)]
        assert read.open_incidents(connection, 1) == []
        forget(connection, None, lab=True)
        assert [(k.name, k.lab) for k in read.clusters(connection)] == [("tiny", False)]
        left = connection.execute("SELECT count(*) FROM incidents").fetchone()
    assert left == (0,)


def test_a_long_value_is_not_kept(store: Store) -> None:
    store.keep(looked(differing("a", "x" * (LONGEST + 1))))

    assert incidents(store)[0].finding.attributes[0].before == f"{LONGEST + 1} characters"
