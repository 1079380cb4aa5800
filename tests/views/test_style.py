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


@given(
    st.lists(st.text("abc-/", min_size=1, max_size=40), min_size=1), st.integers(10, 100), st.integers(0, 60)
)
def test_a_wrapped_text_loses_no_word_and_fits_where_its_words_do(
    words: list[str], width: int, used: int
) -> None:
    lines = Style(width=width).wrap(" ".join(words), used)

    assert " ".join(lines).split(" ") == words
    assert all(len(line) <= max(width - used, 24) or " " not in line for line in lines)
    assert Style().wrap(" ".join(words), used) == [" ".join(words)]


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
