"""A port of the host itself: what ufw has saved for it, and whom the loaded rules really let in."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import ValidationError

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged, Value
from gonka_state.facts.addresses import Addresses
from gonka_state.facts.culprits import Offender
from gonka_state.facts.rule_judge import Judge
from gonka_state.facts.rule_meaning import is_rule
from gonka_state.resources.firewall import FirewallRuleResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.facts.ufw import Saved

NOT_INSTALLED = Unknown(
    "ufw is not installed", hint="apt-get install ufw, then look again", pending_on="package"
)


def observe(state: FirewallState, rule: FirewallRuleResource, here: Here) -> Observation:
    """Compare both truths with the wish; where one differs, that one is shown."""
    if not state.installed:
        return NOT_INSTALLED
    own = _own(state, rule)
    judged = Judge(state, rule, here, own).judge()
    details = {
        "families": list(state.families),
        "reload": judged.reload,
        "again": judged.again,
        "offenders": [offender.details() for offender in judged.offenders],
        "saved": [_detail(saved) for saved in own],
    }
    # No rule is how ufw says nobody; and where a rule of another kind lets in too many, to have this one is to
    # let in fewer. Neither has anything to carry an action or a comment.
    stands = rule.state == "present" and (not rule.sources or bool(judged.offenders))
    if not own and not stands:
        return Absent(details, reason=judged.reason)
    attributes = {
        "action": "+".join(sorted({saved.action for saved in own})) or rule.action,
        "from": judged.shown.words(rule.sources),
        "comment": _comment(own) if own else rule.comment,
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


def strangers(
    state: FirewallState,
    declared: Sequence[FirewallRuleResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> list[FirewallRuleResource]:
    """Ufw's rules that nobody declared, as rules that shall be absent.

    Only those about a port of the host, whatever its address: no resource can mean another. What is in the
    kernel alone is no rule of ufw's.
    """
    found: dict[str, FirewallRuleResource] = {}
    for saved in state.saved if state.installed else ():
        if (
            saved.plain
            and saved.family in state.families
            and not any(is_rule(saved, one) for one in declared)
        ):
            words = {"port": saved.port, "protocol": saved.protocol, "direction": saved.direction}
            where = {"interface": saved.interface} if saved.interface else {}
            with suppress(ValidationError):
                gone = {**words, **where, "action": saved.action, "state": "absent"}
                rule = FirewallRuleResource.model_validate(gone)
                found.setdefault(rule.name, rule)
    return list(found.values())


def _own(state: FirewallState, rule: FirewallRuleResource) -> list[Saved]:
    """Rules of ufw that are this resource; one made of an application profile only where there is no other."""
    found = [saved for saved in state.saved if saved.family in state.families and is_rule(saved, rule)]
    return [saved for saved in found if not saved.app] or found


def _comment(own: Sequence[Saved]) -> str | None:
    comments = sorted({saved.comment for saved in own})
    return " / ".join(comment or "none" for comment in comments) if any(comments) else None


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
