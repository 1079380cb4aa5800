"""Sizes survive the way to people and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.units import human_bytes, parse_size


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
