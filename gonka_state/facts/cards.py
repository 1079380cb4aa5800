"""How many GPUs a container sees, and how many its host has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonka_state.facts.base import Part, Parts

_NOT_ASKED = (1, 124, 126, 127, 137)
"""Docker's own refusal (nvidia-smi never ends with 1), out of time, no such program: nothing is known then."""


@dataclass(frozen=True, slots=True)
class Cards:
    """What `nvidia-smi -L` listed. `error` is what it said instead; `unknown` when it could not be asked."""

    count: int = 0
    error: str = ""
    unknown: str = ""


def read_cards(parts: Parts) -> dict[str, Cards]:
    """Cards by container id; those of the host under ""."""
    found = {"": _count(parts["cards"])} if "cards" in parts else {}
    for name, part in parts.items():
        if name.startswith("cards ") and part.lines:
            identity, _, said = part.text.partition("\n")
            found[identity] = _count(replace(part, text=said))
    return found


def _count(part: Part) -> Cards:
    lines = [line for line in part.lines if line.startswith("GPU ")]
    if not part.status:
        return Cards(len(lines))
    said = " ".join([*part.lines[-1:], part.stderr]).strip()
    if part.status in _NOT_ASKED:
        return Cards(unknown=f"nvidia-smi could not be asked: {said or f'exit status {part.status}'}")
    return Cards(len(lines), error=said)
