"""Options and matches of an iptables rule, in one spelling where spellings cannot differ in meaning."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts.addresses import IPV4

if TYPE_CHECKING:
    from collections.abc import Callable

# A match of these counts what reaches it, so its place among the others is part of its meaning.
_COUNTING = {"limit", "hashlimit", "recent", "quota", "statistic", "connlimit", "nfacct", "bpf"}
_LISTS = {"--ctstate", "--state", "--dports", "--sports", "--ports"}


@dataclass(frozen=True, order=True, slots=True)
class Option:
    """One option of a match or of a target, such as `! --dport 80`."""

    name: str
    negated: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, order=True, slots=True)
class Match:
    """One `-m`; module `` holds protocol, addresses and interfaces."""

    module: str
    options: tuple[Option, ...] = ()


def protocol(base: list[Option]) -> str:
    """The protocol that a rule names; empty for any."""
    return next((" ".join(option.values) for option in base if option.name == "-p"), "")


def normal_matches(
    base: list[Option], modules: list[tuple[str, list[Option]]], family: int
) -> tuple[Match, ...]:
    """Matches in one spelling and, where the order cannot matter, in one order."""
    plain = tuple(sorted(option for option in map(_plain(family), base) if option is not None))
    found = [Match(name, _defaults(name, options, family)) for name, options in modules]
    found = [match for match in found if match.options or match.module not in {"tcp", "udp", "icmp"}]
    if not any(match.module in _COUNTING for match in found):
        found.sort()
    return (*((Match("", plain),) if plain else ()), *found)


def _plain(family: int) -> Callable[[Option], Option | None]:
    """A base option in one spelling; None where it excludes nothing."""

    def spell(option: Option) -> Option | None:
        if option.name not in {"-s", "-d"}:
            return option
        try:
            network = ipaddress.ip_network(" ".join(option.values), strict=False)
        except ValueError:
            return option  # a mask with holes: equal only to itself
        if network.prefixlen == 0 and network.version == family and not option.negated:
            return None
        return Option(option.name, option.negated, (str(network),))

    return spell


def _defaults(module: str, options: list[Option], family: int) -> tuple[Option, ...]:
    """A match's options with what iptables adds by itself, sorted: their order says nothing."""
    found = [
        Option(option.name, option.negated, (",".join(sorted(",".join(option.values).split(","))),))
        if option.name in _LISTS
        else option
        for option in options
    ]
    if module == "recent":
        names = {option.name for option in found}
        if "--name" not in names:
            found.append(Option("--name", values=("DEFAULT",)))
        if "--mask" not in names:
            full = "255.255.255.255" if family == IPV4 else ":".join(["ffff"] * 8)
            found.append(Option("--mask", values=(full,)))
        if not names & {"--rsource", "--rdest"}:
            found.append(Option("--rsource"))
    return tuple(sorted(found))


def normal_answer(target: str | None, options: list[Option], family: int) -> tuple[Option, ...]:
    """A target's options with what iptables adds by itself."""
    if target == "REJECT" and not options:
        usual = "icmp-port-unreachable" if family == IPV4 else "icmp6-port-unreachable"
        return (Option("--reject-with", values=(usual,)),)
    return tuple(sorted(options))
