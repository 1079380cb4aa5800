"""Every kind there is: resource, fact and what it needs, joined explicitly. Nothing here can write."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.kind import Kind

_ALL: tuple[Kind[Any, Any], ...] = ()

KINDS: Mapping[str, Kind[Any, Any]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Kinds by name, in the order they are shown."""
