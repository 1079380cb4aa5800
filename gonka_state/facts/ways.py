"""Whether addresses that a cluster depends on answer from a host, as one section of its look."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts import requirement_network
from gonka_state.facts.base import quote, split_parts
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.snapshot import HostLook

SECTION = "ways"


def script(targets: Sequence[str]) -> str:
    """POSIX sh: all targets at once (`http(s)://…`, `tcp://HOST:PORT`), asked as the requirement `reach` asks."""
    return f"{requirement_network.SHELL}\n{quote('part', 'reach', 'probes', *targets)}"


def parse(text: str) -> Mapping[str, str]:
    """What came of each target: `ok`, or why it did not answer.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    parts.told("reach")
    return requirement_network.answers(parts)


def read(look: HostLook | None) -> Mapping[str, str] | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
