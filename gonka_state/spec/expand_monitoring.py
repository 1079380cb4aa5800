"""`monitoring:` of a host or role: node_exporter, who may ask it, and what the cards say."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from gonka_state.core.desired import Scraped
from gonka_state.spec.checks import is_ip
from gonka_state.spec.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node
    from gonka_state.spec.upkeep_words import Monitoring
    from gonka_state.spec.words import Cluster

EXPORTER = "prometheus-node-exporter"
ARGUMENTS = f"/etc/default/{EXPORTER}"
TEXTFILES = "/var/lib/prometheus/node-exporter"
PROGRAMS = "/usr/local/lib/gonka-state"
GPUS = "gonka-state-gpus"
_UNITS = "/etc/systemd/system"


def monitoring(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:
    """What a monitored host has.

    The arguments come before the package: it starts node_exporter at once, on a port that may be another's.
    """
    words = host.monitoring
    if words is None:
        return
    place = node.deepest(["monitoring"])
    published = {label.partition("/")[0] for label in host.container_ports}
    if str(words.port) in published:
        what = f"port {words.port} is one that a container publishes (container_ports); node_exporter needs its own"
        expansion.context.problems.add(place.deepest(["port"]).source, what)
    yield Draft(name, "file", _file(ARGUMENTS, _arguments(host, words)), place)
    if EXPORTER not in host.packages:
        data = {"name": EXPORTER, "needs": [f"file:{ARGUMENTS}"]}
        yield Draft(name, "package", data, place)
    unit = {"name": EXPORTER, "running": True, "enabled": True, "restart_on": [ARGUMENTS]}
    yield Draft(name, "service", unit, place)
    if words.sources is not None:
        sources = expansion.sources.addresses(place)
        rule = {"port": str(words.port), "from": sources, "comment": "metrics"}
        yield Draft(name, "firewall-rule", rule, place)
    if words.gpus is not None:
        yield from _gpus(expansion, name, words.gpus, place)


def scraped(words: Cluster) -> tuple[Scraped, ...]:
    """Where Prometheus finds every monitored host."""
    return tuple(
        Scraped(name, host.role, _at(_asked(host, host.monitoring), host.monitoring.port))
        for name, host in words.hosts.items()
        if host.monitoring is not None
    )


def _asked(host: Host, words: Monitoring) -> str:
    everywhere = words.listen is None or ipaddress.ip_address(words.listen).is_unspecified
    return host.address if everywhere else str(words.listen)


def _gpus(expansion: Expansion, name: str, count: int, place: Node) -> Iterator[Draft]:
    """A program that a timer runs: node_exporter itself knows nothing of cards."""
    program, unit, timer = f"{PROGRAMS}/{GPUS}", f"{_UNITS}/{GPUS}.service", f"{_UNITS}/{GPUS}.timer"
    yield Draft(name, "directory", {"name": PROGRAMS, "mode": "0755"}, place)
    values = {"gpus": count, "directory": TEXTFILES, "program": program}
    made = {program: "0755", unit: "0644", timer: "0644"}
    for path, mode in made.items():
        template = f"{path.rpartition('/')[2]}.j2"
        rendered = expansion.templates.render(template, values, {}, place.source)
        yield Draft(name, "file", _file(path, rendered.text or "", mode), place, rendered.withheld)
    data = {"name": f"{GPUS}.timer", "running": True, "enabled": True, "restart_on": [timer, unit]}
    yield Draft(name, "service", data | {"needs": [f"file:{program}", f"package:{EXPORTER}"]}, place)


def _file(path: str, content: str, mode: str = "0644") -> dict[str, object]:
    return {"name": path, "content": content, "mode": mode, "phase": 1}


def _arguments(host: Host, words: Monitoring) -> str:
    # A name may mean another address on the host itself.
    address = words.listen or (host.address if is_ip(host.address) else "")
    listen = f"--web.listen-address={_at(address, words.port)}"
    return (
        "# Written by gonka-state; changes made here are undone.\n"
        f'ARGS="{listen} --collector.textfile.directory={TEXTFILES}"\n'
    )


def _at(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
