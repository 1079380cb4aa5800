"""Whom the loaded rules let in through one declared rule's port, and which rules are in its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts.addresses import IPV6, Addresses, Sources
from gonka_state.facts.culprits import Offender, blame, culprits, lost, said, told
from gonka_state.facts.reach import Verdict, Walk
from gonka_state.facts.rule_meaning import declared_rules, is_rule, keeps_out, others, packets

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.facts.iptables import Rule
    from gonka_state.facts.reach import Cause
    from gonka_state.facts.ufw import Saved
    from gonka_state.resources.firewall import FirewallRuleResource

# They say the policy in rules; the policy is the business of firewall:ufw.
POLICY_CHAINS = r"ufw6?-(track|reject|skip-to-policy)-.*"


@dataclass(frozen=True, slots=True)
class Judged:
    """What to show for a rule, and why.

    `offenders` are rules in the way, `reload` says that the kernel has not what ufw has saved, and `again`
    that ufw's own rule is right but comes too late.
    """

    shown: Sources
    reason: str = ""
    offenders: tuple[Offender, ...] = ()
    reload: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Judge:
    """One declared rule on one host; `own` are ufw's rules that are this one."""

    state: FirewallState
    rule: FirewallRuleResource
    here: Here
    own: Sequence[Saved]

    def judge(self) -> Judged:
        """Compare what ufw has saved, what the kernel has loaded, and what that lets through."""
        missing = tuple(rule for saved in self.own for rule in saved.rules if not self._loaded(rule))
        loaded = _union(s.sources for s in self.own if all(self._loaded(rule) for rule in s.rules))
        # Where ufw does not look after IPv6 at all, firewall:ufw says so.
        untold = Sources() if IPV6 in self.state.families else Sources(v6=self._wish().v6)
        judged = self._closed(loaded) if keeps_out(self.rule) else self._open(loaded)
        lacking = [f"{rule.text} is saved by ufw and missing in the kernel" for rule in missing[:3]]
        reason = "; ".join(filter(None, (*lacking, judged.reason)))
        return Judged(
            judged.shown | untold, reason, judged.offenders, judged.reload or bool(missing), judged.again
        )

    def _open(self, loaded: Sources) -> Judged:
        """A rule that lets in: who gets in beyond the wish, and who of the wish does not."""
        wish = self._wish()
        known = wish | _union(Sources.read(one.sources) for one in others(self.rule, self.here, opening=True))
        denied = _union(Sources.read(one.sources) for one in others(self.rule, self.here, opening=False))
        verdicts = self._verdicts()
        excess = _union(Sources.one(verdict.open) for verdict in verdicts) - known
        through = _intersection(verdicts)
        missed = lost((loaded & wish) - denied, through) & self._looked_after()
        # ufw's own rules for this port that are too much are deleted as such, and hide others meanwhile.
        stale = [rule for saved in self.own if saved.sources - wish for rule in saved.rules]
        opened = culprits(self._opened, Sources.everybody() - known, self.state.saved, stale)
        closed = culprits(self._kept_out, missed, self.state.saved)
        reasons = [said(opened, "lets in") if opened else "", said(closed, "keeps out") if closed else ""]
        # A rule of ufw's may end in a chain of ufw's that is empty (limit, after IPv6 was switched on).
        hollow = bool(missed) and not closed
        reasons += [f"ufw's rule is loaded, but {told(missed)} gets lost behind it"] if hollow else []
        reason = "; ".join(filter(None, reasons))
        # Whoever lets in too many lets in whom we wish as well.
        shown = (loaded - missed) | excess | (through & wish if opened else Sources())
        return Judged(shown, reason, (*opened, *closed), reload=hollow)

    def _closed(self, loaded: Sources) -> Judged:
        """A rule that keeps out: who of the wish gets in all the same, by a rule that comes first."""
        verdicts = self._verdicts()
        through = _union(Sources.one(verdict.open) for verdict in verdicts) & self._wish() & loaded
        opened = blame((cause for v in verdicts for cause in v.opened), through, self.state.saved)
        wanted = [one for one in opened if one.saved and self._declared(one.saved)]
        reason = said(opened, "comes first and lets in") if opened else ""
        offenders = tuple(one for one in opened if one not in wanted)
        return Judged(loaded - through, reason, offenders, again=bool(wanted))

    def _verdicts(self, without: frozenset[object] = frozenset()) -> list[Verdict]:
        chain = "INPUT" if self.rule.direction == "in" else "OUTPUT"
        return [
            Walk(self.state.table(family), packet, POLICY_CHAINS, without=without).through(
                chain, policy=False
            )
            for family in self.state.families
            for packet in packets(self.rule, family)
        ]

    def _opened(self, without: frozenset[object]) -> list[Cause]:
        return [cause for verdict in self._verdicts(without) for cause in verdict.opened]

    def _kept_out(self, without: frozenset[object]) -> list[Cause]:
        return [cause for verdict in self._verdicts(without) for cause in verdict.closed]

    def _wish(self) -> Sources:
        return Sources.read(self.rule.sources)

    def _loaded(self, rule: Rule) -> bool:
        held = self.state.table(rule.family).get(rule.chain)
        return held is not None and any(one.meaning == rule.meaning for one in held.rules)

    def _declared(self, saved: Saved) -> bool:
        return any(is_rule(saved, rule) for rule in declared_rules(self.here))

    def _looked_after(self) -> Sources:
        return _union(Sources.one(Addresses.everybody(family)) for family in self.state.families)


def _intersection(verdicts: Sequence[Verdict]) -> Sources:
    """Who gets in with every kind of packet the rule is about."""
    found = Sources.everybody()
    for verdict in verdicts:
        other = Sources.everybody() - Sources.one(Addresses.everybody(verdict.open.family))
        found = found & (other | Sources.one(verdict.open))
    return found


def _union(many: Iterable[Sources]) -> Sources:
    found = Sources()
    for one in many:
        found = found | one
    return found
