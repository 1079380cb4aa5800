"""`exposure:` of a host or role: who shall get an answer from which port, tried from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.spec.drafts import Draft
from gonka_state.spec.host_words import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node


def exposure(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:
    """One resource per port; this machine also tries the network host's public address, where that is another."""
    public = expansion.context.public_host
    also = public if host.role == NETWORK and isinstance(public, str) and public != host.address else None
    for label in host.exposure:
        at = node.deepest(["exposure", label])
        data = {"port": int(label.partition("/")[0]), "from": expansion.sources.addresses(at)}
        yield Draft(name, "exposure", data | ({"also": also} if also else {}), at)
