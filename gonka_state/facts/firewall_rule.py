"""A port of the host itself: what ufw has saved for it, and whom the loaded rules really let in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged, Value
from gonka_state.facts.addresses import IPV6, Addresses, Sources
from gonka_state.facts.exposure import BRIDGES, Offender, blame, lost, said
from gonka_state.facts.packet import Packet, Ports
from gonka_state.facts.reach import Verdict, Walk
from gonka_state.resources.firewall import FirewallRuleResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.facts.ufw import Saved

NOT_INSTALLED = Unknown("ufw is not installed", hint="apt-get install ufw, then look again")
# They say the policy in rules; the policy is the business of firewall:ufw.
POLICY_CHAINS = r"ufw6?-(track|reject|skip-to-policy)-.*"
_LAST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Judged:
    """What to show for a rule, and why.

    `missing` are kernel rules that ufw has saved and the kernel has lost, `offenders` rules in the way, and
    `again` says that ufw's own rule is right but comes too late.
    """

    shown: Sources
    reason: str = ""
    missing: tuple[str, ...] = ()
    offenders: tuple[Offender, ...] = ()
    again: bool = False


def observe(state: FirewallState, rule: FirewallRuleResource, here: Here) -> Observation:
    """Compare both truths with the wish; where one differs, that one is shown."""
    if not state.installed:
        return NOT_INSTALLED
    own = [saved for saved in state.saved if saved.family in state.families and is_rule(saved, rule)]
    judged = _judge(state, rule, here, own)
    details = {
        "families": list(state.families),
        "reload": bool(judged.missing),
        "again": judged.again,
        "offenders": [offender.details() for offender in judged.offenders],
        "saved": [_detail(saved) for saved in own],
    }
    if not own:
        return Absent(details, reason=judged.reason)
    attributes = {
        "action": "+".join(sorted({saved.action for saved in own})),
        "from": judged.shown.words(),
        "comment": _comment(own),
    }
    return Present(attributes, details, judged.reason)


def unmanaged(state: FirewallState, declared: Sequence[FirewallRuleResource], here: Here) -> list[Unmanaged]:
    """Rules of ufw that nobody declared, and rules in the kernel's INPUT that are not ufw's."""
    found: dict[str, list[str]] = {}
    for saved in state.saved:
        if not any(is_rule(saved, rule) for rule in declared):
            found.setdefault(_name(saved), []).append(f"{saved.action} from {saved.source}")
    for ruleset in state.kernel.values():
        chain = ruleset.chain("filter", "INPUT")
        for rule in chain.rules if chain else ():
            if not str(rule.target).startswith(("ufw", "GONKA-STATE")):
                found[str(Offender(rule, Addresses(rule.family)))] = ["not of ufw"]
    return [Unmanaged(here.host, "firewall-rule", name, "; ".join(found[name])) for name in found]


def _comment(own: Sequence[Saved]) -> str | None:
    comments = sorted({saved.comment for saved in own})
    return " / ".join(comment or "none" for comment in comments) if any(comments) else None


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


def _judge(state: FirewallState, rule: FirewallRuleResource, here: Here, own: Sequence[Saved]) -> Judged:
    chain = "INPUT" if rule.direction == "in" else "OUTPUT"
    verdicts = [
        Walk(state.table(family), packet, passed_over=POLICY_CHAINS).through(chain, policy=False)
        for family in state.families
        for packet in packets(rule, family)
    ]
    missing = [
        kernel
        for saved in own
        for kernel in saved.rules
        if kernel.meaning not in _meanings(state, saved.family, kernel.chain)
    ]
    gone = {kernel.meaning for kernel in missing}
    loaded = _union(saved.sources for saved in own if not any(one.meaning in gone for one in saved.rules))
    # ufw does not look after this family at all, which is told by firewall:ufw.
    wish = Sources.read(rule.sources)
    untold = Sources(v6=wish.v6) if IPV6 not in state.families else Sources()
    said_missing = tuple(f"{one.text} is saved by ufw and missing in the kernel" for one in missing)
    judge = _judge_closed if keeps_out(rule) else _judge_open
    judged = judge(state, rule, here, verdicts, loaded)
    reason = "; ".join(filter(None, (*said_missing[:3], judged.reason)))
    return Judged(judged.shown | untold, reason, said_missing, judged.offenders, judged.again)


def _judge_open(
    state: FirewallState, rule: FirewallRuleResource, here: Here, verdicts: list[Verdict], loaded: Sources
) -> Judged:
    """A rule that lets in: who gets in beyond the wish, and who of the wish does not."""
    wish = Sources.read(rule.sources)
    known = wish | _union(s.sources for s in state.saved if is_rule(s, rule))
    known = known | _union(Sources.read(other.sources) for other in _others(rule, here, opening=True))
    excess = _union(Sources.one(verdict.open) for verdict in verdicts) - known
    denied = _union(Sources.read(other.sources) for other in _others(rule, here, opening=False))
    reach = _intersection(verdicts)
    missed = lost((loaded & wish) - denied, reach) & _ufw_families(state)
    opened = blame((cause for v in verdicts for cause in v.opened), excess, state.saved)
    closed = blame((cause for v in verdicts for cause in v.closed), missed, state.saved)
    reasons = [said(opened, "lets in") if opened else "", said(closed, "keeps out") if closed else ""]
    return Judged(
        shown=(loaded - missed) | excess,
        reason="; ".join(filter(None, reasons)),
        offenders=(*opened, *closed),
    )


def _judge_closed(
    state: FirewallState, rule: FirewallRuleResource, here: Here, verdicts: list[Verdict], loaded: Sources
) -> Judged:
    """A rule that keeps out: who of the wish gets in all the same, by a rule that comes first."""
    through = _union(Sources.one(verdict.open) for verdict in verdicts) & Sources.read(rule.sources) & loaded
    opened = blame((cause for v in verdicts for cause in v.opened), through, state.saved)
    wanted = [one for one in opened if one.saved and any(is_rule(one.saved, other) for other in _rules(here))]
    return Judged(
        shown=loaded - through,
        reason=said(opened, "comes first and lets in") if opened else "",
        offenders=tuple(one for one in opened if one not in wanted),
        again=bool(wanted),
    )


def _meanings(state: FirewallState, family: int, chain: str) -> set[tuple[object, ...]]:
    held = state.table(family).get(chain)
    return {rule.meaning for rule in held.rules} if held else set()


def _ufw_families(state: FirewallState) -> Sources:
    return _union(Sources.one(Addresses.everybody(family)) for family in state.families)


def _intersection(verdicts: list[Verdict]) -> Sources:
    """Who gets in with every kind of packet the rule is about."""
    found = Sources.everybody()
    for verdict in verdicts:
        kept = Sources.everybody() - Sources.one(Addresses.everybody(verdict.open.family))
        found = found & (kept | Sources.one(verdict.open))
    return found


def _union(many: Iterable[Sources]) -> Sources:
    found = Sources()
    for one in many:
        found = found | one
    return found


def _rules(here: Here) -> list[FirewallRuleResource]:
    """What is declared to be there on this host."""
    rules = (one for one in here.declared if isinstance(one, FirewallRuleResource))
    return [rule for rule in rules if rule.state == "present"]


def _others(rule: FirewallRuleResource, here: Here, *, opening: bool) -> list[FirewallRuleResource]:
    """Declared rules that are about some of the same packets."""
    return [
        other
        for other in _rules(here)
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


def _detail(saved: Saved) -> dict[str, Value]:
    return {
        "ufw": list(saved.words()),
        "family": saved.family,
        "source": saved.sources.words(),
        "action": saved.action,
        "comment": saved.comment,
    }


def _name(saved: Saved) -> str:
    if not saved.plain:
        return str(saved)
    parts = [saved.direction] if saved.direction != "in" else []
    parts += ["deny"] if saved.action in {"deny", "reject"} else []
    where = f"%{saved.interface}" if saved.interface else ""
    return ":".join((*parts, f"{saved.port}/{saved.protocol}{where}"))
