"""What a declared rule is about: the packets, the rules of ufw that are the same, the rules that overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.culprits import BRIDGES
from gonka_state.facts.packet import Packet, Ports
from gonka_state.resources.firewall import FirewallRuleResource

if TYPE_CHECKING:
    from gonka_state.facts.here import Here
    from gonka_state.facts.ufw import Saved

_LAST_PORT = 65535


def keeps_out(rule: FirewallRuleResource) -> bool:
    """Whether the rule is there to keep somebody out."""
    return rule.action in {"deny", "reject"}


def is_rule(saved: Saved, rule: FirewallRuleResource) -> bool:
    """Whether a rule of ufw's is this resource by its meaning, whomever it is about."""
    return (
        saved.plain
        and saved.direction == rule.direction
        and saved.interface == (rule.interface or "")
        and (saved.port, saved.protocol) == (rule.port, rule.protocol)
        and (saved.action in {"deny", "reject"}) == keeps_out(rule)
    )


def packets(rule: FirewallRuleResource, family: int) -> list[Packet]:
    """The kinds of packet a rule is about, in one family."""
    protocols = ["tcp", "udp"] if rule.protocol == "any" and rule.port != "any" else [rule.protocol]
    incoming = rule.direction == "in"
    return [
        Packet(
            family=family,
            protocol=protocol,
            ports=ports(rule.port),
            inbound=rule.interface if incoming else "",
            outbound="" if incoming else rule.interface,
            local=incoming,
            bridges=BRIDGES,
        )
        for protocol in protocols
    ]


def ports(text: str) -> Ports | None:
    """A rule's port as a range; None for any."""
    if text == "any":
        return None
    low, _, high = text.partition(":")
    return int(low), int(high or low)


def others(rule: FirewallRuleResource, here: Here, *, opening: bool) -> list[FirewallRuleResource]:
    """Declared rules that are about some of the same packets."""
    return [
        other
        for other in declared_rules(here)
        if other.name != rule.name and keeps_out(other) is not opening and _overlap(other, rule)
    ]


def _overlap(one: FirewallRuleResource, other: FirewallRuleResource) -> bool:
    low, high = ports(one.port) or (0, _LAST_PORT)
    first, last = ports(other.port) or (0, _LAST_PORT)
    return (
        one.direction == other.direction
        and (one.protocol == other.protocol or "any" in {one.protocol, other.protocol})
        and (one.interface == other.interface or None in {one.interface, other.interface})
        and low <= last
        and first <= high
    )


def declared_rules(here: Here) -> list[FirewallRuleResource]:
    """What is declared to be there on this host."""
    rules = (one for one in here.declared if isinstance(one, FirewallRuleResource))
    return [rule for rule in rules if rule.state == "present"]
