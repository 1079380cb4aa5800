"""A port published by Docker: whom the loaded rules let through to it, and whether that outlives a boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unmanaged, Value
from gonka_state.facts import container_ports
from gonka_state.facts.addresses import IPV4, IPV6, Addresses, Sources
from gonka_state.facts.culprits import culprits, lost, said, told
from gonka_state.facts.published import Way, published, translations, value, ways

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.resources.firewall import ContainerPortResource


def observe(state: FirewallState, port: ContainerPortResource, here: Here) -> Observation:
    """Who gets through, v4 and v6, whatever chain decides it."""
    _ = here
    wish = Sources.read(port.sources)
    found = _ways(state, port)
    excess, missed = Sources(), Sources()
    for way in found:
        excess = excess | (way.open - wish)
        if way.exact:
            missed = missed | lost(wish & Sources.one(Addresses.everybody(way.verdict.open.family)), way.open)
    opened = culprits(lambda gone: [c for way in _ways(state, port, gone) for c in way.early()], excess)
    closed = culprits(lambda gone: [c for way in _ways(state, port, gone) for c in way.strange()], missed)
    held = _files(state, port)
    details = {
        "offenders": [one.details() for one in (*opened, *closed)],
        "files": sorted(held),
        "published": [
            f"{host}:{inner}" for host, inner in published(state.kernel[IPV4], port.port, port.protocol)
        ],
    }
    if port.state == "absent" and not held and not _loaded(state, port):
        return Absent(details)
    reasons = [said(opened, "lets in") if opened else "", said(closed, "keeps out") if closed else ""]
    if excess and not opened:
        reasons.append(_unruled(found, excess))
    persistent = _persistent(state, port, held)
    reasons.append(persistent)
    attributes = {"from": ((wish - missed) | excess).words(port.sources), "persistent": not persistent}
    return Present(attributes, details, "; ".join(filter(None, reasons)) if port.state == "present" else "")


def wanted(state: FirewallState, port: ContainerPortResource, here: Here) -> dict[str, Value]:
    """The declared sources, and that they hold after a boot too."""
    _ = state, here
    return port.attributes() | {"persistent": True}


def unmanaged(state: FirewallState, declared: Sequence[ContainerPortResource], here: Here) -> list[Unmanaged]:
    """Ports that Docker publishes to the outside and nobody declared."""
    names = {port.name for port in declared}
    found: dict[str, str] = {}
    for family, ruleset in sorted(state.kernel.items()):
        for rule in translations(ruleset):
            name = f"{value(rule, '--dport')}/{value(rule, '-p')}"
            target = ":".join(one.values[0] for one in rule.target_options if one.values)
            if name not in names and not value(rule, "-d").startswith("127."):
                found[name] = f"published to {target}" + ("" if family == IPV4 else " (v6)")
    return [Unmanaged(here.host, "container-port", name, detail) for name, detail in found.items()]


def _ways(
    state: FirewallState, port: ContainerPortResource, without: frozenset[object] = frozenset()
) -> list[Way]:
    return [
        way
        for family in (IPV4, IPV6)
        for way in ways(state.kernel[family], port.port, port.protocol, without)
    ]


def _files(state: FirewallState, port: ContainerPortResource) -> dict[str, str]:
    """Our saved rules of this port: what is in its files."""
    names = container_ports.files(port.port, port.protocol, ())
    paths = {name: f"{container_ports.DIRECTORY}/{name}" for name in names}
    return {name: state.ours[path] for name, path in paths.items() if path in state.ours}


def _loaded(state: FirewallState, port: ContainerPortResource) -> bool:
    """Whether the kernel holds a rule of ours about this port."""
    chains = (container_ports.TRANSLATED, container_ports.DIRECT)
    for ruleset in state.kernel.values():
        for name in chains:
            chain = ruleset.chain("filter", name)
            for rule in chain.rules if chain else ():
                told_port = value(rule, "--ctorigdstport") or value(rule, "--dport")
                if told_port == str(port.port) and value(rule, "-p") == port.protocol:
                    return True
    return False


def _persistent(state: FirewallState, port: ContainerPortResource, held: dict[str, str]) -> str:
    """Why the restriction would not be there after a boot; empty where it would."""
    should = {
        n: text for n, text in container_ports.files(port.port, port.protocol, port.sources).items() if text
    }
    if held != should:
        return (
            "the saved rules are of another wish"
            if held
            else ""
            if not should
            else "nothing is saved for boot"
        )
    if not should:
        return ""
    if state.ours.get(container_ports.LOADER) != container_ports.LOADER_TEXT:
        return f"{container_ports.LOADER} is missing or changed"
    if state.ours.get(container_ports.UNIT_FILE) != container_ports.UNIT_TEXT:
        return f"{container_ports.UNIT_FILE} is missing or changed"
    if container_ports.UNIT not in state.started:
        return f"{container_ports.UNIT} does not start at boot"
    return ""


def _unruled(found: list[Way], excess: Sources) -> str:
    """No rule lets in what gets in: nothing restricts it, and the policy accepts."""
    through = sorted({way.chain for way in found if way.open & excess})
    return f"no rule restricts {told(excess)} on the way through {' and '.join(through)}"
