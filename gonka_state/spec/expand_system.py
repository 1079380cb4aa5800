"""What a host's system has: its words turned into resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.spec.drafts import Draft, given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node


def system(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001  (every expansion's signature)
    """Packages and tools of one host."""
    for label, package in host.packages.items():
        yield Draft(name, "package", {"name": label, **given(package)}, node.deepest(["packages", label]))
    for label, tool in host.tools.items():
        data = {"name": label, "program": label, **given(tool)}
        yield Draft(name, "python-tool", data, node.deepest(["tools", label]))
