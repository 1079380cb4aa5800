"""When somebody is told of what was found, and when of its end."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.history import FLAP_WINDOW
from gonka_state.core.incident import Finding, Incident, Origin
from gonka_state.core.plan import HostLooked, Plan
from gonka_state.core.telling import PATIENCE, Check, Kept, Telling, telling

NOW, MINUTES = 1_000_000.0, 60.0
A, B, C = "host/file:a", "host/file:b", "host/file:c"


@dataclass
class Book:
    """Incidents of one cluster; what is open is also found by the look, unless it is in maintenance."""

    rows: list[Kept] = field(default_factory=list)
    maintenance: tuple[str, ...] = ()
    before: float = NOW - 5 * MINUTES

    def incident(
        self,
        subject: str = A,
        opened: float = NOW - 5 * MINUTES,
        closed: float | None = None,
        origin: Origin = Origin.DRIFT,
        **said: bool,
    ) -> Kept:
        """One more in the history."""
        finding = Finding(subject, unknown=origin is Origin.UNKNOWN)
        incident = Incident(finding, origin, opened, closed or NOW, closed)
        self.rows.append(Kept(len(self.rows) + 1, incident, **said))
        return self.rows[-1]

    def check(self) -> Check:
        """A look now."""
        changes, silent = [], []
        for row in (row for row in self.rows if row.incident.closed is None):
            why = "in maintenance" if row.subject in self.maintenance else ""
            if "/" in row.subject:
                action = Action.UNKNOWN if row.incident.finding.unknown else Action.UPDATE
                changes.append(Change(Address.parse(row.subject), action, maintenance=why))
            else:
                silent.append(HostLooked(row.subject, unknown="is off", maintenance=why))
        plan = Plan("tiny", lab=False, hosts=(HostLooked("host"), *silent), changes=tuple(changes), in_sync=0)
        return Check(plan, NOW - 2, NOW, self.before)

    def tell(self) -> Telling:
        """What it is told of."""
        return telling(self.rows, self.check())


def subjects(rows: tuple[Kept, ...]) -> list[str]:
    return [row.subject for row in rows]


def test_what_a_second_look_saw_too_is_told() -> None:
    book = Book()
    book.incident(A)
    book.incident("ml-02", origin=Origin.UNKNOWN)
    book.incident(B, opened=NOW)
    book.incident(C, origin=Origin.PENDING)

    assert subjects(book.tell().opened) == [A, C, "ml-02"]


def test_two_looks_at_the_same_time_are_one() -> None:
    book = Book()
    book.incident(opened=NOW - 1)

    assert not book.tell()


def test_what_a_clock_that_went_ahead_found_is_told_once_it_is_right_again() -> None:
    book = Book()
    book.incident(opened=NOW + 2 * 24 * 60 * MINUTES)

    assert subjects(book.tell().opened) == [A]


def test_what_was_told_is_not_told_again_until_it_is_over() -> None:
    book = Book()
    book.incident(told=True)
    assert not book.tell()

    book = Book()
    over = book.incident(closed=NOW, told=True)
    assert book.tell() == Telling(closed=(over,))

    book = Book()
    book.incident(closed=NOW, told=True, told_closed=True)
    assert not book.tell()


def test_of_what_was_over_before_anybody_was_told_nothing_is_said() -> None:
    book = Book()
    book.incident(closed=NOW)

    assert not book.tell()


def test_where_checks_are_rare_one_is_enough() -> None:
    book = Book(before=NOW - PATIENCE - MINUTES)
    book.incident(A, opened=NOW)

    assert subjects(book.tell().opened) == [A]
    assert not telling(book.rows, replace(book.check(), before=None))


def test_what_is_in_maintenance_is_silent() -> None:
    book = Book(maintenance=(A,))
    book.incident(A)

    assert not book.tell()


def test_a_host_that_is_worked_on_now_has_not_recovered() -> None:
    book = Book(maintenance=("ml-02",))
    over = book.incident("ml-02", closed=NOW, origin=Origin.UNKNOWN, told=True)
    book.incident("ml-02", origin=Origin.UNKNOWN, told=True, told_closed=True)

    assert book.tell() == Telling(settled=(over,))


def test_what_flaps_is_told_as_soon_as_it_does_and_once() -> None:
    book = Book()
    for age in (90, 60):
        book.incident(opened=NOW - age * MINUTES, closed=NOW - age * MINUTES + 30)
    third = book.incident(opened=NOW)
    assert book.tell() == Telling(flapping=(third,))

    book.rows[-1] = replace(third, told=True, flapping=True)
    assert not book.tell()

    book.rows[-1] = replace(book.rows[-1], incident=replace(third.incident, closed=NOW))
    assert not book.tell()
    book.incident(opened=NOW - 5 * MINUTES)
    assert not book.tell()


def test_its_end_is_told_when_it_was_calm() -> None:
    book = Book()
    long_ago = NOW - FLAP_WINDOW - 5 * MINUTES
    flapped = book.incident(opened=long_ago, closed=long_ago + 60, told=True, flapping=True)
    assert book.tell() == Telling(closed=(flapped,))

    # It is there to stay now: that is an incident like any other, and the flapping is over.
    stays = book.incident(opened=NOW - 5 * MINUTES)
    assert book.tell() == Telling(opened=(stays,), settled=(flapped,))


def test_your_own_edits_are_no_flapping() -> None:
    book = Book()
    for age in (90, 60):
        book.incident(opened=NOW - age * MINUTES, closed=NOW - age * MINUTES + 30, origin=Origin.PENDING)
    book.incident(opened=NOW - 5 * MINUTES)

    assert subjects(book.tell().opened) == [A]


def test_what_is_named_as_flapping_has_no_end_of_its_own() -> None:
    book = Book()
    book.incident(opened=NOW - 90 * MINUTES, closed=NOW - 80 * MINUTES)
    told = book.incident(opened=NOW - 60 * MINUTES, closed=NOW - MINUTES, told=True)
    third = book.incident(opened=NOW)

    assert book.tell() == Telling(flapping=(third,), settled=(told,))


def test_an_end_is_told_where_nobody_was_told_of_the_flapping() -> None:
    book = Book()
    book.incident(opened=NOW - 90 * MINUTES, closed=NOW - 80 * MINUTES)
    told = book.incident(opened=NOW - 60 * MINUTES, closed=NOW - 2 * MINUTES, told=True)
    book.incident(opened=NOW - 2 * MINUTES, closed=NOW - MINUTES)

    assert book.tell() == Telling(closed=(told,))


def test_a_host_and_its_resource_are_named_once_each() -> None:
    book = Book()
    for origin in (Origin.UNKNOWN, Origin.DRIFT):
        for age in (90, 60):
            book.incident(A, NOW - age * MINUTES, NOW - age * MINUTES + 30, origin)
        book.incident(A, NOW, origin=origin)

    assert subjects(book.tell().flapping) == [A]
