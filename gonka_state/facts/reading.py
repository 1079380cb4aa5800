"""How a topic of a requirement is read: the parts it needs, and what is made of their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.errors import FactError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.observation import Value
    from gonka_state.facts.base import Part, Parts

NO_SUCH_PROGRAM = 127
"""The shell's own status."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One topic. `read` raises FactError where a part has no usable answer."""

    parts: tuple[str, ...]
    read: Callable[[Parts], Value]


def program(parts: Parts, name: str, called: str) -> Part:
    """The answer of a program that may not be there.

    Raises:
        FactError: it is not installed, or it failed.
    """
    if parts[name].status == NO_SUCH_PROGRAM:
        raise FactError(f"{called} is not installed")
    return parts.need(name)


def text(name: str) -> Reading:
    """A part that is the answer itself."""
    return Reading((name,), lambda parts: parts.need(name).text.strip())
