"""What the firewall's kinds share: questions to the loaded rules, and who is to blame for the answers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from gonka_state.facts.addresses import IPV4, IPV6, Addresses, Sources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gonka_state.core.observation import Value
    from gonka_state.facts.iptables import Rule
    from gonka_state.facts.reach import Cause
    from gonka_state.facts.ufw import Saved

Ask: TypeAlias = "Callable[[frozenset[object]], list[Cause]]"

BRIDGES = ("docker0", "docker_gwbridge", "br-+", "veth+")
"""Docker's own interfaces: what comes in by them is not from outside."""

# ufw's chains that only spell what a rule in another chain decided.
_SPELLS = re.compile(r"ufw6?-(user-limit.*|skip-to-policy-.*|.*logging.*)")
_OF_A_FILE = re.compile(r"ufw6?-(before|after|not-local|reject|track).*")


@dataclass(frozen=True, slots=True)
class Offender:
    """A rule in the way. `saved` is ufw's own rule behind it, where it is one of ufw's."""

    rule: Rule
    whom: Addresses
    saved: Saved | None = None

    @property
    def file(self) -> str:
        """The file of ufw's that it comes from and that only a person edits; empty where there is none."""
        if self.saved or not _OF_A_FILE.fullmatch(self.rule.chain):
            return ""
        end = "6.rules" if self.rule.chain.startswith("ufw6") else ".rules"
        return f"/etc/ufw/{'after' if 'after' in self.rule.chain else 'before'}{end}"

    def __str__(self) -> str:
        if self.saved:
            return str(self.saved)
        return f"{'ip6tables' if self.rule.family == IPV6 else 'iptables'} {self.rule.text}"

    def details(self) -> dict[str, Value]:
        """The offender as an operation needs it."""
        return {
            "family": self.rule.family,
            "chain": self.rule.chain,
            "words": list(self.rule.words),
            "ufw": list(self.saved.words()) if self.saved else [],
            "file": self.file,
            "text": str(self),
        }


def blame(causes: Iterable[Cause], whom: Sources, saved: Sequence[Saved] = ()) -> list[Offender]:
    """The rules that decided about anybody of `whom`, each once, in the kernel's order."""
    owners = {rule.meaning: one for one in saved for rule in one.rules}
    found: dict[str, Offender] = {}
    for cause in causes:
        if not cause.whom & whom.family(cause.whom.family):
            continue
        steps = (*cause.path, cause.rule)
        rule = next((step for step in reversed(steps) if not _SPELLS.fullmatch(step.chain)), cause.rule)
        offender = Offender(rule, cause.whom, owners.get(rule.meaning))
        found.setdefault(str(offender), offender)
    return list(found.values())


def culprits(
    ask: Ask, whom: Sources, saved: Sequence[Saved] = (), gone: Iterable[Rule] = ()
) -> tuple[Offender, ...]:
    """The rules that decide about anybody of `whom`, with those that the first of them hides.

    `ask` answers without the rules whose meanings it is given; `gone` are rules that go in any case.
    """
    without = frozenset[object](rule.meaning for rule in gone)
    found: list[Offender] = []
    while fresh := blame(ask(without), whom, saved):
        found += fresh
        without |= {one.rule.meaning for one in fresh}
    return tuple(found)


def lost(wish: Sources, reach: Sources) -> Sources:
    """The networks of a wish of which nobody at all gets through.

    Somebody of a network may be kept out (a banned address); that is another's business.
    """
    gone = Sources()
    for family in (IPV4, IPV6):
        for text in wish.family(family).networks():
            network = Addresses.network(family, text)
            if not network & reach.family(family):
                gone = gone | Sources.one(network)
    return gone


def said(offenders: Sequence[Offender], does: str) -> str:
    """One clause for a reason: which rules do what to whom."""
    parts = [f"{offender} {does} {told(Sources.one(offender.whom))}" for offender in offenders[:3]]
    more = f" and {len(offenders) - 3} more" if len(offenders) > 3 else ""  # noqa: PLR2004 (three are told)
    return "; ".join(parts) + more


def told(sources: Sources) -> str:
    """Sources for a sentence."""
    return ", ".join(sources.words()) or "nobody"
