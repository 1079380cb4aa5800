"""Colour and width of the terminal, decided once and passed as a value."""

from __future__ import annotations

from dataclasses import dataclass

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


def clean(text: str) -> str:
    """Text from a host without control characters: a container's name must not steer the terminal."""
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)
