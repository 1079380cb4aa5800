"""How often and how long apart something harmless is tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST = 0.5
LONGEST = 8.0
LOOK_AGAIN = 20.0
"""Seconds before what is unknown is looked at a second time, where nobody waits at a terminal."""


def pauses(retries: int) -> Iterator[float]:
    """Seconds to wait before each try: none before the first, then doubling, up to eight."""
    yield 0.0
    wait = FIRST
    for _ in range(retries):
        yield wait
        wait = min(wait * 2, LONGEST)
