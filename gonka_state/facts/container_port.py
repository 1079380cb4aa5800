"""A port published by Docker: whom the loaded rules let through to it, and whether that outlives a boot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unmanaged, Value
from gonka_state.facts import container_ports
from gonka_state.facts.addresses import IPV4, IPV6, Addresses, Sources
from gonka_state.facts.exposure import BRIDGES, blame, lost, said, told
from gonka_state.facts.packet import Holds, Packet, holds
from gonka_state.facts.reach import Cause, Verdict, Walk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.facts.iptables import Rule, Ruleset, Table
    from gonka_state.resources.firewall import ContainerPortResource

# Docker's own chains let in what it has published; what must be judged comes before them.
_DOCKERS = r"DOCKER|DOCKER-FORWARD"
_ENTRIES = {"DOCKER", "DOCKER-FORWARD"}
# Where our rules are entered from; a rule that comes before that jump is out of their reach.
_JUMPS = {
    "FORWARD": {"DOCKER-USER"},
    "DOCKER-USER": {container_ports.TRANSLATED},
    "INPUT": {container_ports.DIRECT},
}


@dataclass(frozen=True, slots=True)
class _Way:
    """One way a packet to the port can take. `exact` ones decide alone; others may be narrowed by ufw."""

    table: Table
    verdict: Verdict
    exact: bool

    @property
    def open(self) -> Sources:
        """Who gets through this way."""
        return Sources.one(self.verdict.open)

    def early(self) -> list[Cause]:
        """What let somebody in before our rules were asked."""
        return [cause for cause in self.verdict.opened if self._before_ours(cause)]

    def strange(self) -> list[Cause]:
        """What kept somebody out, other than our own rules."""
        own = container_ports.TRANSLATED
        return [cause for cause in self.verdict.closed if not cause.rule.chain.startswith(own)]

    def _before_ours(self, cause: Cause) -> bool:
        for step in (*cause.path, cause.rule):
            rules = self.table[step.chain].rules
            jumps = [i for i, rule in enumerate(rules) if rule.target in _JUMPS.get(step.chain, ())]
            if jumps and next(i for i, rule in enumerate(rules) if rule is step) < jumps[0]:
                return True
        return False


def observe(state: FirewallState, port: ContainerPortResource, here: Here) -> Observation:
    """Who gets through, v4 and v6, whatever chain decides it."""
    _ = here
    wish = Sources.read(port.sources)
    ways = [way for family in (IPV4, IPV6) for way in _ways(state.kernel[family], port)]
    excess, missed = Sources(), Sources()
    for way in ways:
        excess = excess | (way.open - wish)
        if way.exact:
            missed = missed | lost(wish & Sources.one(Addresses.everybody(way.verdict.open.family)), way.open)
    opened = blame((cause for way in ways for cause in way.early()), excess)
    closed = blame((cause for way in ways for cause in way.strange()), missed)
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
        reasons.append(_unruled(ways, excess))
    persistent = _persistent(state, port, held)
    reasons.append(persistent)
    attributes = {"from": ((wish - missed) | excess).words(), "persistent": not persistent}
    return Present(attributes, details, "; ".join(filter(None, reasons)))


def wanted(state: FirewallState, port: ContainerPortResource, here: Here) -> dict[str, Value]:
    """The declared sources, and that they hold after a boot too."""
    _ = state, here
    return port.attributes() | {"persistent": True}


def unmanaged(state: FirewallState, declared: Sequence[ContainerPortResource], here: Here) -> list[Unmanaged]:
    """Ports that Docker publishes to the outside and nobody declared."""
    names = {port.name for port in declared}
    found: dict[str, str] = {}
    for family, ruleset in sorted(state.kernel.items()):
        for rule in _translations(ruleset):
            name = f"{_value(rule, '--dport')}/{_value(rule, '-p')}"
            target = ":".join(one.values[0] for one in rule.target_options if one.values)
            if name not in names and not _value(rule, "-d").startswith("127."):
                found[name] = f"published to {target}" + ("" if family == IPV4 else " (v6)")
    return [Unmanaged(here.host, "container-port", name, detail) for name, detail in found.items()]


def published(ruleset: Ruleset, port: int, protocol: str) -> list[tuple[str, int]]:
    """The container addresses and ports that Docker translates a port of the host to."""
    packet = Packet(ruleset.family, protocol, (port, port), bridges=BRIDGES)
    found: list[tuple[str, int]] = []
    for rule in _translations(ruleset):
        target = next((one.values[0] for one in rule.target_options if one.values), "")
        address, _, inner = target.rpartition(":")
        if holds(rule, packet) is not Holds.NO and inner.isdigit():
            found.append((address.strip("[]"), int(inner)))
    return found


def _translations(ruleset: Ruleset) -> list[Rule]:
    chain = ruleset.chain("nat", "DOCKER")
    return [rule for rule in chain.rules if rule.target == "DNAT"] if chain else []


def _value(rule: Rule, name: str) -> str:
    options = (option for match in rule.matches for option in match.options)
    return next((" ".join(option.values) for option in options if option.name == name), "")


def _ways(ruleset: Ruleset, port: ContainerPortResource) -> list[_Way]:
    """Through FORWARD where Docker translates, else through INPUT to docker-proxy, where ufw decides too."""
    table = ruleset.tables.get("filter", {})
    targets = published(ruleset, port.port, port.protocol)
    forward = table.get("FORWARD")
    dockers = forward is not None and any(rule.target in _ENTRIES for rule in forward.rules)
    numbers = (port.port, port.port)
    ways: list[_Way] = []
    if dockers:
        inner = {target[1] for target in targets}
        packet = Packet(
            family=ruleset.family,
            protocol=port.protocol,
            ports=(min(inner), min(inner)) if inner else numbers,
            original=numbers,
            unsure=len(inner) != 1,
            outbound=None,
            local=False,
            container=True,
            destinations=tuple(target[0] for target in targets),
            bridges=_bridges(ruleset),
        )
        found = Walk(table, packet, lets_in=_DOCKERS).through("FORWARD", policy=False)
        ways.append(_Way(table, found, exact=True))
    if not dockers or (ruleset.family == IPV6 and not targets):
        packet = Packet(ruleset.family, port.protocol, numbers, bridges=_bridges(ruleset))
        found = Walk(table, packet).through("INPUT")
        ways.append(_Way(table, found, exact=False))
    return ways


def _bridges(ruleset: Ruleset) -> tuple[str, ...]:
    """Docker's usual bridges, and those with names of their own that its rules tell."""
    named = {
        option.values[0]
        for chain in ruleset.tables.get("filter", {}).values()
        for rule in chain.rules
        if rule.target == "DOCKER"
        for match in rule.matches
        for option in match.options
        if option.name == "-o" and option.values and not option.negated
    }
    return (*BRIDGES, *sorted(named))


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
                told_port = _value(rule, "--ctorigdstport") or _value(rule, "--dport")
                if told_port == str(port.port) and _value(rule, "-p") == port.protocol:
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


def _unruled(ways: list[_Way], excess: Sources) -> str:
    """No rule lets in what gets in: nothing restricts it, and the policy accepts."""
    direct = [way for way in ways if not way.exact and way.open & excess]
    through = "INPUT to docker-proxy" if direct else "FORWARD"
    return f"no rule restricts {told(excess)} on the way through {through}"
