"""A resource before its model has seen it: what an expansion yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gonka_state.spec.tree import Node


@dataclass(frozen=True, slots=True)
class Draft:
    """One resource before its model has seen it.

    `node` is where it was written; `home` the host that needs written there are about, if another one.
    """

    host: str
    kind: str
    data: dict[str, Any]
    node: Node
    withheld: str = ""
    home: str = ""


def given(words: Any, *without: str) -> dict[str, Any]:  # noqa: ANN401  (any of our words)
    """What was really written, under the names of the YAML; the rest is left to the resource's defaults."""
    found: dict[str, Any] = words.model_dump(by_alias=True, exclude_unset=True, exclude=set(without))
    return {name: value for name, value in found.items() if value is not None}
