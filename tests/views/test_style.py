"""Colour and width are a value; nothing is cut where nobody reads on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.views.style import Style, clean


def test_without_colour_a_text_is_itself() -> None:
    assert Style().paint("text", "red") == "text"
    assert Style(color=True).paint("text", "red") == "\033[31mtext\033[0m"
    assert Style(color=True).paint("", "red") == ""


@given(st.text(), st.integers(10, 100))
def test_a_text_is_cut_to_what_is_left(text: str, width: int) -> None:
    shown = Style(width=width).fit(text)

    assert shown == text if len(text) <= width else (len(shown) == width and shown.endswith("…"))
    assert Style().fit(text, 1000) == text


def test_a_little_of_a_text_is_always_shown() -> None:
    assert Style(width=20).fit("0123456789abcdef", 18) == "01234567…"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä ✓", "plain ä ✓"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\tb", "a\tb"),
        ("a\nb\r", "a\\nb\\r"),
        ("\udcff", "\\udcff"),
    ],
)
def test_control_characters_are_spelled_out(text: str, shown: str) -> None:
    assert clean(text) == shown
