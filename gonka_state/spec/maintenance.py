"""Hosts and nodes that somebody works on by hand, from the words of a cluster's file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.desired import Maintenance
from gonka_state.core.units import parse_until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Declared
    from gonka_state.resources.base import Resource
    from gonka_state.spec import host_words
    from gonka_state.spec.words import Cluster


def of_hosts(words: Cluster) -> dict[str, Maintenance]:
    """The hosts that have one."""
    return {name: _made(host.maintenance) for name, host in words.hosts.items() if host.maintenance}


def marked(
    words: Cluster, resources: Mapping[Address, Declared[Resource]]
) -> dict[Address, Declared[Resource]]:
    """The resources, each with the maintenance of its host, of the host it is about, or its own."""
    hosts = of_hosts(words)
    nodes = {name: _made(host.node.maintenance) for name, host in words.hosts.items()
             if host.node is not None and host.node.maintenance}  # fmt: skip
    found = {}
    for address, item in resources.items():
        subject = item.resource.subject or address.host
        own = nodes.get(subject) if address.kind == "node" else None
        maintenance = own or hosts.get(subject) or hosts.get(address.host)
        found[address] = replace(item, maintenance=maintenance) if maintenance else item
    return found


def _made(words: host_words.Maintenance) -> Maintenance:
    return Maintenance(words.until, parse_until(words.until), words.reason)
