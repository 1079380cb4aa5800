"""Colour and width of the terminal, decided once and passed as a value."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

_READABLE = 24
"""Columns in which words can still be read below each other."""
_CODES = {"green": "32", "yellow": "33", "red": "31", "dim": "2", "bold": "1", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Style:
    """How to draw. `width` in columns; None where nobody reads it on a terminal, so nothing is cut."""

    color: bool = False
    width: int | None = None

    def paint(self, text: str, color: str) -> str:
        """The text in a colour, or as it is."""
        return f"\033[{_CODES[color]}m{text}\033[0m" if self.color and text else text

    def fit(self, text: str, used: int = 0) -> str:
        """The text, cut to what is left of the line after `used` columns."""
        if self.width is None or used + len(text) <= self.width:
            return text
        return text[: max(self.width - used - 1, 8)] + "…"

    def wrap(self, text: str, used: int) -> list[str]:
        """The text in lines that fit after `used` columns; a long word stays whole, to be copied."""
        if self.width is None:
            return [text]
        room = max(self.width - used, _READABLE)
        return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]

    def hang(self, prefix: str, text: str, used: int) -> list[str]:
        """The text behind a prefix of `used` columns; what does not fit goes on below itself."""
        first, *more = self.wrap(text, used)
        return [f"{prefix}{first}".rstrip(), *(f"{'':{used}}{line}" for line in more)]


def clean(text: str) -> str:
    """Text from a host without control characters: a container's name must not steer the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)
