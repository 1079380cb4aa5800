"""Which release a stand-in plays, and what the releases differ in (gonka-contract 0)."""

from __future__ import annotations

import re

CURRENT = "0.2.13"
UPSERT_SINCE = (0, 2, 4)
V2_SINCE = (0, 2, 12)


def numbers(version: str) -> tuple[int, ...]:
    """A version as it compares."""
    return tuple(int(word) for word in re.findall(r"\d+", version)[:3])
