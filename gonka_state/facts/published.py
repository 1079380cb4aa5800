"""The ways by which somebody outside reaches a port that Docker publishes, and who gets through each.

Where Docker translates addresses, a packet goes through FORWARD, and DOCKER-USER with our rules comes
before Docker's own. Else (IPv6 by default on older engines, or `"iptables": false`) docker-proxy listens
and the packet goes through INPUT, where ufw decides too.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts import container_ports
from gonka_state.facts.addresses import IPV6, Sources
from gonka_state.facts.culprits import BRIDGES
from gonka_state.facts.packet import Holds, Packet, holds
from gonka_state.facts.reach import Cause, Verdict, Walk

if TYPE_CHECKING:
    from gonka_state.facts.iptables import Rule, Ruleset, Table

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
class Way:
    """One way a packet to the port can take. `exact` ones decide alone; others may be narrowed by ufw."""

    table: Table
    verdict: Verdict
    exact: bool

    @property
    def chain(self) -> str:
        """The chain it goes through, for a sentence."""
        return "FORWARD" if self.exact else "INPUT (docker-proxy)"

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


def ways(ruleset: Ruleset, port: int, protocol: str, without: frozenset[object] = frozenset()) -> list[Way]:
    """One family's ways to a port of the host; rules whose meanings are in `without` do not count."""
    table = ruleset.tables.get("filter", {})
    targets = published(ruleset, port, protocol)
    forward = table.get("FORWARD")
    dockers = forward is not None and any(rule.target in _ENTRIES for rule in forward.rules)
    numbers = (port, port)
    found: list[Way] = []
    if dockers:
        inner = {target[1] for target in targets}
        packet = Packet(
            family=ruleset.family,
            protocol=protocol,
            ports=(min(inner), min(inner)) if inner else numbers,
            original=numbers,
            unsure=len(inner) != 1,
            outbound=None,
            local=False,
            container=True,
            destinations=tuple(target[0] for target in targets),
            bridges=_bridges(ruleset),
        )
        verdict = Walk(table, packet, lets_in=_DOCKERS, without=without).through("FORWARD", policy=False)
        found.append(Way(table, verdict, exact=True))
    if not dockers or (ruleset.family == IPV6 and not targets):
        packet = Packet(ruleset.family, protocol, numbers, bridges=_bridges(ruleset))
        verdict = Walk(table, packet, without=without).through("INPUT")
        found.append(Way(table, verdict, exact=False))
    return found


def published(ruleset: Ruleset, port: int, protocol: str) -> list[tuple[str, int]]:
    """The container addresses and ports that Docker translates a port of the host to."""
    packet = Packet(ruleset.family, protocol, (port, port), bridges=BRIDGES)
    found: list[tuple[str, int]] = []
    for rule in translations(ruleset):
        target = next((one.values[0] for one in rule.target_options if one.values), "")
        address, _, inner = target.rpartition(":")
        if holds(rule, packet) is not Holds.NO and inner.isdigit() and _is_address(address.strip("[]")):
            found.append((address.strip("[]"), int(inner)))
    return found


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def translations(ruleset: Ruleset) -> list[Rule]:
    """Docker's own rules that publish a port."""
    chain = ruleset.chain("nat", "DOCKER")
    return [rule for rule in chain.rules if rule.target == "DNAT"] if chain else []


def value(rule: Rule, name: str) -> str:
    """What a rule says for one of its options; empty where it does not have it."""
    options = (option for match in rule.matches for option in match.options)
    return next((" ".join(option.values) for option in options if option.name == name), "")


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
