"""Who may reach a port, in names of the cluster, turned into addresses."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.spec.checks import RESERVED, entries, is_ip, text_of
from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.problems import did_you_mean

if TYPE_CHECKING:
    from gonka_state.spec.problems import Problems
    from gonka_state.spec.tree import Node


@dataclass(slots=True)
class Sources:
    """Resolves `any`, `nobody`, host names, roles, addresses and CIDRs of one cluster."""

    tree: Node
    problems: Problems

    def addresses(self, rule: Node) -> list[str]:
        """The addresses that a rule, or its `from`, names; problems stand at the name."""
        node = rule.get("from") or rule
        items = (node,) if node.items is None else node.items
        words = [item for item in items if isinstance(item.scalar, str)]
        for item in words:
            if item.scalar in RESERVED and len(words) > 1:
                self.problems.add(item.source, f"{item.scalar!r} cannot stand beside other sources")
        return [address for item in words for address in self._one(item)]

    def _one(self, item: Node) -> list[str]:
        name = str(item.scalar)
        if name in RESERVED or _is_network(name):
            return [name]
        hosts = entries(self.tree, "hosts")
        roles = {NETWORK, ML, *entries(self.tree, "roles")}
        if name in hosts:
            return self._of(item, name, text_of(hosts[name], "address"))
        if name not in roles:
            what = f"{name!r} is no host, role, address or CIDR, nor any or nobody"
            self.problems.add(item.source, what, did_you_mean(name, {*hosts, *roles, *RESERVED}))
            return []
        found = [
            address
            for host, node in hosts.items()
            if text_of(node, "role") == name
            for address in self._of(item, host, text_of(node, "address"))
        ]
        network = self.tree.get("network")
        if name == NETWORK and not found and text_of(network, "managed") == "elsewhere":
            return self._of(item, "the network node", text_of(network, "address"))
        return found

    def _of(self, item: Node, host: str, address: str) -> list[str]:
        if is_ip(address):
            return [address]
        if address:
            what = f"{host} cannot be a source: its address {address!r} is a name, and a firewall needs an IP"
            self.problems.add(item.source, what)
        return []


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
