"""Who gets through a chain: a walk over rules with sets of sources instead of single packets.

What cannot be told is told the careful way: an ACCEPT under a condition that may hold counts as open, a
DROP under one does not count as closed. So `open` never misses anybody who gets through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.addresses import Addresses
from gonka_state.facts.iptables import Chain
from gonka_state.facts.packet import Holds, Packet, holds, sources

if TYPE_CHECKING:
    from gonka_state.facts.iptables import Rule, Table

# These look, count or mark and let the packet go on to the next rule.
_GOES_ON = {
    None, "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "TRACE", "SET", "TCPMSS", "CLASSIFY", "CHECKSUM", "AUDIT",
    "SECMARK", "CONNSECMARK", "DSCP", "TOS", "TTL", "HL", "NOTRACK", "CT", "LED", "IDLETIMER", "RATEEST",
}  # fmt: skip
_CLOSES = {"DROP", "REJECT", "TARPIT"}
_EMPTY = Chain()


@dataclass(frozen=True, slots=True)
class Cause:
    """A rule that decided about somebody, with the rules that led to it, outermost first."""

    rule: Rule
    whom: Addresses
    path: tuple[Rule, ...] = ()


@dataclass(slots=True)
class Verdict:
    """Where everybody ends: let in by a rule, left to the policy, or else certainly kept out."""

    open: Addresses
    rest: Addresses
    opened: list[Cause] = field(default_factory=list)
    closed: list[Cause] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Walk:
    """One question about one table.

    `passed_over` matches chains that are not entered (ufw's own that only spell its policy), `lets_in`
    chains that are taken to accept whatever reaches them (Docker's own), and `without` are the meanings
    of rules that are about to be deleted.
    """

    table: Table
    packet: Packet
    passed_over: str = ""
    lets_in: str = ""
    without: frozenset[object] = frozenset()

    def through(self, chain: str, policy: bool = True) -> Verdict:  # noqa: FBT001, FBT002 (reads well at the call)
        """Everybody's way through a built-in chain; with `policy` its ACCEPT is part of `open`.

        Raises:
            FactError: chains call each other in a circle, which no kernel loads.
        """
        found = self._chain(chain, Addresses.everybody(self.packet.family), ())
        held = self.table.get(chain)
        if policy and (held is None or held.policy == "ACCEPT"):
            found.open = found.open | found.rest
        return found

    def _chain(self, name: str, coming: Addresses, path: tuple[Rule, ...]) -> Verdict:
        if any(rule.chain == name for rule in path):
            raise FactError(f"chain {name} leads back to itself")
        verdict = Verdict(Addresses(coming.family), coming)
        left = Addresses(coming.family)
        for rule in (self.table.get(name) or _EMPTY).rules:
            if not verdict.rest:
                break
            left = left | self._rule(rule, verdict, path)
        verdict.rest = verdict.rest | left
        return verdict

    def _rule(self, rule: Rule, verdict: Verdict, path: tuple[Rule, ...]) -> Addresses:
        """Judge one rule, moving addresses within `verdict`; returns who leaves the chain unjudged."""
        whom, sure = sources(rule)
        whom = whom & verdict.rest
        answer = holds(rule, self.packet)
        if answer is Holds.NO or not whom or rule.target in _GOES_ON or self._skips(rule):
            return Addresses(whom.family)
        certain = answer is Holds.YES and sure is Holds.YES
        cause = Cause(rule, whom, path)
        leaving = Addresses(whom.family)
        if rule.target in _CLOSES:
            if certain:
                verdict.closed.append(cause)
        elif rule.target == "RETURN":
            leaving = whom
        elif rule.target in self.table and not self._accepts(rule):
            leaving, stays = self._call(rule, cause, verdict)
            whom = whom - stays
        else:  # ACCEPT, a queue, or a target nobody here knows
            verdict.open = verdict.open | whom
            verdict.opened.append(cause)
        if certain:
            verdict.rest = verdict.rest - whom
        return leaving

    def _call(self, rule: Rule, cause: Cause, verdict: Verdict) -> tuple[Addresses, Addresses]:
        """Enter a chain; returns who leaves the calling chain with it, and who comes back to it."""
        inner = self._chain(str(rule.target), cause.whom, (*cause.path, rule))
        verdict.open = verdict.open | inner.open
        verdict.opened += inner.opened
        verdict.closed += inner.closed
        nobody = Addresses(cause.whom.family)
        return (inner.rest, nobody) if rule.goto else (nobody, inner.rest)

    def _skips(self, rule: Rule) -> bool:
        if self.without and rule.meaning in self.without:
            return True
        return bool(self.passed_over and re.fullmatch(self.passed_over, str(rule.target)))

    def _accepts(self, rule: Rule) -> bool:
        return bool(self.lets_in and re.fullmatch(self.lets_in, str(rule.target)))
