"""What a kind may know about the host it is observed on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from gonka_state.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Here:
    """The host, and what else is true around it.

    `addresses` maps host names of the cluster to their addresses; `peer` is this look's SSH client.
    `declared` is everything declared on this host: what one resource lets in may be another's wish.
    `silent` are the hosts that gave no answer to this look. `skew` is by how many seconds the host's clock is off
    at least, None where nobody compared it.
    """

    host: str
    addresses: Mapping[str, str]
    peer: str = ""
    declared: Sequence[Resource] = ()
    silent: Collection[str] = ()
    skew: float | None = None
