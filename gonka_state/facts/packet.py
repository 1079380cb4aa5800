"""A kind of packet that is only partly known, and whether a rule's conditions hold for it."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from gonka_state.facts.addresses import Addresses

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.facts.iptables import Rule
    from gonka_state.facts.iptables_options import Match, Option

Ports = tuple[int, int]

_ABOUT_SOURCES = {("", "-s"), ("iprange", "--src-range")}


class Holds(Enum):
    """Whether a condition holds for every packet of a kind, for none, or for some."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"

    def __invert__(self) -> Holds:
        return {Holds.YES: Holds.NO, Holds.NO: Holds.YES}.get(self, Holds.MAYBE)


@dataclass(frozen=True, slots=True)
class Packet:
    """The first packet of a connection, in the eyes of one chain. Its source is what is asked about.

    Attributes:
        family: 4 or 6.
        protocol: `tcp`, `udp`, or `any`: one that no rule names.
        ports: destination ports, both ends included; None for a port that no rule names.
        original: destination ports before address translation, where Docker has translated it.
        unsure: the destination port is not known, because no container publishes the port now.
        inbound: the interface it comes in by; None for any that is not the loopback or a bridge of Docker's.
        outbound: the interface it leaves by; None as above, empty where it does not leave.
        local: it is for this host itself.
        container: it is for a container of this host; `destinations` are that container's known addresses.
        bridges: Docker's own bridges, as patterns.
    """

    family: int
    protocol: str
    ports: Ports | None
    original: Ports | None = None
    unsure: bool = False
    inbound: str | None = None
    outbound: str | None = ""
    local: bool = True
    container: bool = False
    destinations: tuple[str, ...] = ()
    bridges: tuple[str, ...] = ()


def sources(rule: Rule) -> tuple[Addresses, Holds]:
    """Whom the rule's source conditions name, and whether that is all of the truth."""
    named, sure = Addresses.everybody(rule.family), Holds.YES
    for match in rule.matches:
        for option in match.options:
            if (match.module, option.name) not in _ABOUT_SOURCES:
                continue
            try:
                found = _read(rule.family, "".join(option.values))
            except ValueError:
                sure = Holds.MAYBE
                continue
            named = named - found if option.negated else named & found
    return named, sure


def _read(family: int, text: str) -> Addresses:
    low, dash, high = text.partition("-")
    if not dash:
        return Addresses.network(family, text)
    ends = ipaddress.ip_address(low), ipaddress.ip_address(high)
    if any(end.version != family for end in ends) or int(ends[0]) > int(ends[1]):
        raise ValueError(text)
    return Addresses.of(family, [(int(ends[0]), int(ends[1]))])


def holds(rule: Rule, packet: Packet) -> Holds:
    """Whether all conditions of a rule but its sources hold."""
    answer = Holds.YES
    for match in rule.matches:
        for option in match.options:
            one = _option(match, option, packet)
            if one is Holds.NO:
                return Holds.NO
            if one is Holds.MAYBE:
                answer = Holds.MAYBE
    return answer


def _option(match: Match, option: Option, packet: Packet) -> Holds:
    if (match.module, option.name) in _ABOUT_SOURCES:
        return Holds.YES  # `sources` has the answer
    judge = _JUDGES.get((match.module, option.name))
    if judge is None:
        return Holds.MAYBE
    found = judge(" ".join(option.values), packet)
    return ~found if option.negated else found


def _always(_: str, __: Packet) -> Holds:
    return Holds.YES


def _sure(condition: bool) -> Holds:  # noqa: FBT001 (it is the value itself)
    return Holds.YES if condition else Holds.NO


def _protocol(value: str, packet: Packet) -> Holds:
    return _sure(value in {packet.protocol, "all"})


def _ports(value: str, packet: Packet) -> Holds:
    if packet.unsure:
        return Holds.MAYBE
    return _within(value, packet.ports)


def _original(value: str, packet: Packet) -> Holds:
    return _within(value, packet.original or packet.ports)


def _within(value: str, ports: Ports | None) -> Holds:
    if ports is None:
        return Holds.NO
    try:
        ranges = [_range(piece) for piece in value.split(",")]
    except ValueError:
        return Holds.MAYBE
    named = Addresses.of(4, ranges)
    asked = Addresses.of(4, [ports])
    if not asked - named:
        return Holds.YES
    return Holds.MAYBE if asked & named else Holds.NO


def _range(text: str) -> Ports:
    low, colon, high = text.partition(":")
    return (int(low or 0), int(high or 65535)) if colon else (int(low), int(low))


def _inbound(value: str, packet: Packet) -> Holds:
    if packet.inbound is not None:
        return _sure(_within_pattern(packet.inbound, value))
    if value == "+":
        return Holds.YES
    inside = value == "lo" or any(_within_pattern(value, bridge) for bridge in packet.bridges)
    return Holds.NO if inside else Holds.MAYBE


def _outbound(value: str, packet: Packet) -> Holds:
    if packet.outbound is not None:
        return _sure(_within_pattern(packet.outbound, value))
    if value == "+":
        return Holds.YES
    if not packet.container:
        return Holds.NO if value == "lo" else Holds.MAYBE
    # it leaves by a bridge of Docker's, and which one is not asked
    return Holds.MAYBE if any(_touch(value, bridge) for bridge in packet.bridges) else Holds.NO


def _within_pattern(name: str, pattern: str) -> bool:
    """Whether everything that `name` stands for, a trailing + included, is named by `pattern`."""
    return name == pattern or (pattern.endswith("+") and name.startswith(pattern[:-1]))


def _touch(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=lambda pattern: len(pattern.removesuffix("+")))
    return _within_pattern(long, short) or long.removesuffix("+") == short.removesuffix("+")


def _destination(value: str, packet: Packet) -> Holds:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return Holds.MAYBE
    if network.is_loopback or network.is_multicast or network.version != packet.family:
        return Holds.NO
    if network.prefixlen == 0:
        return Holds.YES
    inside = {ipaddress.ip_address(one) in network for one in packet.destinations}
    return _sure(inside.pop()) if len(inside) == 1 else Holds.MAYBE


def _state(value: str, packet: Packet) -> Holds:
    states = {"NEW", "DNAT"} if packet.original else {"NEW"}
    return _sure(bool(states & set(value.split(","))))


def _direction(value: str, _: Packet) -> Holds:
    return _sure(value == "ORIGINAL")


def _flags(value: str, __: Packet) -> Holds:
    """TCP flags: the first packet of a connection carries SYN alone."""
    mask, _, wanted = value.partition(" ")
    seen = {"SYN"} if "SYN" in mask.split(",") or mask == "ALL" else set()
    return _sure(seen == set(wanted.split(",")) - {"NONE"})


def _kind(value: str, packet: Packet) -> Holds:
    kinds = set(value.split(","))
    return _sure(("LOCAL" if packet.local else "UNICAST") in kinds)


_JUDGES: dict[tuple[str, str], Callable[[str, Packet], Holds]] = {
    ("comment", "--comment"): _always,
    ("", "-p"): _protocol,
    ("", "-i"): _inbound,
    ("", "-o"): _outbound,
    ("", "-d"): _destination,
    ("tcp", "--dport"): _ports,
    ("udp", "--dport"): _ports,
    ("multiport", "--dports"): _ports,
    ("tcp", "--tcp-flags"): _flags,
    ("conntrack", "--ctstate"): _state,
    ("state", "--state"): _state,
    ("conntrack", "--ctorigdstport"): _original,
    ("conntrack", "--ctdir"): _direction,
    ("addrtype", "--dst-type"): _kind,
}
"""How a condition is judged. What is not here cannot be told: it may hold or not."""
