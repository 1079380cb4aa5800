"""Every kind there is: resource, fact and what it needs, joined explicitly. Nothing here can write."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gonka_state.registry import backup, chain, content, firewall, host, keys, services, system

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.kind import Kind

KINDS: Mapping[str, Kind[Any, Any]] = MappingProxyType(
    {
        kind.name: kind
        for group in (host, system, firewall, content, backup, keys, services, chain)
        for kind in group.KINDS
    }
)
"""Kinds by name, in the order they are shown."""
