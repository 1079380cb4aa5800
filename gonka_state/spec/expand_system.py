"""What a host's system has: its words turned into resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.spec.drafts import Draft, given
from gonka_state.spec.expand_logging import daemon_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node


def system(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:
    """Packages, tools, units and settings of one host's system."""
    for label, package in host.packages.items():
        yield Draft(name, "package", {"name": label, **given(package)}, node.deepest(["packages", label]))
    for label, tool in host.tools.items():
        data = {"name": label, "program": label, **given(tool)}
        yield Draft(name, "python-tool", data, node.deepest(["tools", label]))
    for label, unit in host.units.items():
        yield Draft(name, "service", {"name": label, **given(unit)}, node.deepest(["units", label]))
    for label, value in host.sysctl.items():
        yield Draft(name, "sysctl", {"name": label, "value": value}, node.deepest(["sysctl", label]))
    settings = daemon_settings(expansion, host, node)
    if settings:
        place = node.deepest(["docker_daemon" if host.docker_daemon else "logging"])
        yield Draft(name, "docker-daemon", {"settings": settings}, place)
    for path, block in host.blocks.items():
        yield Draft(name, "file-block", {"name": path, **given(block)}, node.deepest(["blocks", path]))
    for user, keys in host.authorized_keys.items():
        place = node.deepest(["authorized_keys", user])
        yield Draft(name, "authorized-keys", {"name": user, "keys": keys}, place)
    for path, binary in host.binaries.items():
        yield Draft(name, "binary", {"name": path, **given(binary)}, node.deepest(["binaries", path]))
