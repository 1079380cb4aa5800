"""Layers of one cluster's wish laid over each other: maps merge, lists replace, null unsets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.tree import Node


ALTERNATIVES = (
    (frozenset({"minimum", "maximum"}), frozenset({"equals"}), frozenset({"at_most"})),
    (frozenset({"template"}), frozenset({"content"})),
    (frozenset({"env"}), frozenset({"file"}), frozenset({"command"})),
)
"""Keys that exclude each other in one map: a later layer that gives one takes back the others."""

NAMED = frozenset(
    {"hosts", "models", "requirements", "rules", "container_ports", "directories", "files", "services"}
    | {"packages", "tools", "units", "sysctl", "docker_daemon", "blocks", "authorized_keys", "binaries"}
)
"""Maps whose keys the operator chooses."""


def merge(base: Node, top: Node) -> Node:
    """Lay `top` over `base`. A null in `top` stays, so that it unsets in every layer below."""
    if top.empty:
        return replace(top, unsets=True)
    if base.entries is None or top.entries is None:
        return top
    gone = _taken_back(base.entries, top.entries)
    entries = {name: node for name, node in base.entries.items() if name not in gone}
    for name, node in top.entries.items():
        entries[name] = merge(entries[name], node) if name in entries else node
    return replace(top, entries=entries)


def _taken_back(base: dict[str, Node], top: dict[str, Node]) -> set[str]:
    """Alternatives of the base that the top replaces. Maps are never alternatives: a host may be named `env`."""
    gone: set[str] = set()
    for ways in ALTERNATIVES:
        taken = {name for way in ways if any(_plain(top.get(key)) for key in way) for name in way}
        if taken:
            names = {name for way in ways for name in way} - taken
            gone |= {name for name in names & base.keys() if base[name].entries is None}
    return gone


def _plain(node: Node | None) -> bool:
    return node is not None and not node.empty and node.entries is None


def settle(node: Node) -> Node:
    """Drop what nulls have unset, at every depth of maps."""
    if node.entries is None:
        return node
    kept = {name: settle(child) for name, child in node.entries.items() if not child.empty}
    return replace(node, entries=kept)


def hollow(node: Node, parent: str = "") -> Iterator[Node]:
    """Nulls that name something and take nothing away: `tmkms:` where `tmkms: {}` was meant.

    Roles are passed over: what a role unsets is only known once it is laid under its hosts.
    """
    for name, child in (node.entries or {}).items():
        if child.empty and not child.unsets and parent in NAMED:
            yield child
        elif not (name == "roles" and not parent):
            yield from hollow(child, name)
