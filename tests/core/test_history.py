"""Time in sync by the time between checks, and what counts as flapping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.history import (
    BELIEVED,
    FLAP_WINDOW,
    FLAPS,
    Flap,
    Verdict,
    flapping,
    shares,
    verdict,
)
from gonka_state.core.incident import Finding, Incident, Origin

IN_SYNC, DIFFERS, UNKNOWN = Verdict


@pytest.mark.parametrize(
    ("status", "pending", "whole", "said"),
    [
        (0, 0, True, IN_SYNC),
        (2, 3, True, DIFFERS),
        (6, 1, True, DIFFERS),
        (3, 0, True, UNKNOWN),
        (3, 1, True, DIFFERS),
        (1, 0, True, UNKNOWN),
        (0, 0, False, UNKNOWN),
    ],
)
def test_a_check_says(status: int, pending: int, whole: bool, said: Verdict) -> None:  # noqa: FBT001 (a row of the table)
    assert verdict(status, pending, whole=whole) is said


def test_a_verdict_holds_until_the_next_check() -> None:
    found = shares([(0, IN_SYNC), (300, DIFFERS), (400, IN_SYNC)], 0, 1000)

    assert found == {IN_SYNC: 0.9, DIFFERS: 0.1, UNKNOWN: 0.0}


def test_time_without_checks_is_unknown_and_not_in_sync() -> None:
    found = shares([(0, IN_SYNC), (4 * BELIEVED, IN_SYNC)], 0, 4 * BELIEVED)

    assert found == {IN_SYNC: 0.25, DIFFERS: 0.0, UNKNOWN: 0.75}


def test_a_check_before_the_span_still_holds_in_it() -> None:
    assert shares([(-100, IN_SYNC)], 0, 1000)[IN_SYNC] == 1.0
    assert shares([(-BELIEVED - 1, IN_SYNC)], 0, 1000)[UNKNOWN] == 1.0


def test_before_the_first_check_nothing_is_known() -> None:
    assert shares([(500, DIFFERS)], 0, 1000) == {IN_SYNC: 0.0, DIFFERS: 0.5, UNKNOWN: 0.5}
    assert shares([], 0, 1000)[UNKNOWN] == 1.0


@given(
    checks=st.lists(st.tuples(st.floats(-10_000, 30_000), st.sampled_from(Verdict)), max_size=12),
    until=st.floats(1, 20_000),
)
def test_shares_are_parts_of_the_whole(checks: list[tuple[float, Verdict]], until: float) -> None:
    found = shares(sorted(checks), 0, until)

    assert sum(found.values()) == pytest.approx(1)
    assert all(0 <= share <= 1 + 1e-9 for share in found.values())


def incidents(*opened: float, subject: str = "a/file:/x", origin: Origin = Origin.DRIFT) -> list[Incident]:
    finding = Finding(subject, unknown=origin is Origin.UNKNOWN)
    return [Incident(finding, origin, moment, moment, moment + 1) for moment in opened]


def test_what_opens_often_within_a_day_is_flapping() -> None:
    slow = incidents(*(n * FLAP_WINDOW for n in range(10)), subject="a/file:/slow")
    fast = incidents(0, 100, FLAP_WINDOW, subject="a/file:/fast")
    edited = incidents(1, 2, 3, 4, subject="a/file:/edited", origin=Origin.PENDING)
    off = incidents(1, 2, 3, 4, subject="ml-01", origin=Origin.UNKNOWN)

    assert flapping([*slow, *fast, *edited, *off]) == [
        Flap("a/file:/fast", 3, FLAP_WINDOW),
        Flap("ml-01", 4, 4),
    ]


@given(st.lists(st.floats(0, 5 * FLAP_WINDOW), max_size=9))
def test_flapping_counts_the_fullest_window(opened: list[float]) -> None:
    most = max((sum(1 for b in opened if 0 <= b - a <= FLAP_WINDOW) for a in opened), default=0)

    found = flapping(incidents(*opened))

    assert [flap.times for flap in found] == ([most] if most >= FLAPS else [])
