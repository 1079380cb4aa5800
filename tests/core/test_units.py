"""Sizes survive the way to people and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.units import (
    human_age,
    human_bytes,
    iso_moment,
    parse_duration,
    parse_since,
    parse_size,
    parse_until,
    show_moment,
)


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (33_100_000_000, "33.1 GB"),
        (2 * 10**18, "2000.0 PB"),
    ],
)
def test_sizes_are_shown_in_si_units(count: int, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("500GiB", 500 * 1024**3),
        ("33.1 GB", 33_100_000_000),
        ("2T", 2 * 1000**4),
        ("1024", 1024),
        (" 1.5 kib ", 1536),
        ("7b", 7),
    ],
)
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "GB", "-1", "1,5 GB", "1 GBit", "1e9", "5iB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@given(st.integers(0, 10**18))
def test_what_was_shown_is_read_back_within_its_rounding(count: int) -> None:
    assert parse_size(human_bytes(count)) == pytest.approx(count, rel=0.05)


@given(st.integers(0, 10**30))
def test_bytes_are_exact(count: int) -> None:
    assert parse_size(str(count)) == count


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01", datetime(2026, 12, 2, tzinfo=UTC)),
        ("2026-12-01T18:00", datetime(2026, 12, 1, 18, tzinfo=UTC)),
        ("2026-12-01 18:00:00+02:00", datetime(2026, 12, 1, 16, tzinfo=UTC)),
    ],
)
def test_a_day_counts_whole_and_no_offset_is_utc(text: str, moment: datetime) -> None:
    assert parse_until(text) == moment


@pytest.mark.parametrize("text", ["tomorrow", "", "2026-13-01", "9999-12-31"])
def test_what_is_no_time_is_said(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no date such as|is too far away"):
        parse_until(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("2h", 7200), ("7d", 604800), ("2w", 1209600)]
)
def test_spans_of_time_are_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5min", "1.5h", "9999999s"])
def test_what_is_no_span_of_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected for example"):
        parse_duration(text)


def test_since_is_a_span_or_a_date() -> None:
    assert parse_since("7d", 1_000_000.0) == 1_000_000 - 604800
    assert iso_moment(parse_since("2026-11-01", 0)) == "2026-11-01T00:00:00+00:00"
    assert show_moment(parse_since("2026-11-01T06:30+02:00", 0)) == "2026-11-01 04:30 UTC"
    with pytest.raises(ValueError, match="'soon' is no span of time such as 7d, and no date"):
        parse_since("soon", 0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (-0.3, "0 s"),
        (-0.0, "0 s"),
        (42, "42 s"),
        (3600, "60 min"),
        (172_799, "48 h 0 min"),
        (172_800, "2 d"),
        (200_000, "2 d 8 h"),
    ],
)
def test_an_age_in_words(seconds: float, text: str) -> None:
    assert human_age(seconds) == text
