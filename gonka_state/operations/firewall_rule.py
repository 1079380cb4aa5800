"""Giving ufw its rules: what is missing first, then away with what is too much, then what is in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.operations.base import Do
from gonka_state.operations.firewall import delete_offenders, reload_files, ufw

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.firewall import FirewallRuleResource

_EVERYBODY = {4: "0.0.0.0/0", 6: "::/0"}


def apply(step: Step[FirewallRuleResource]) -> Commands:
    """One run of all ufw commands of this rule; adding comes first, so that nobody wanted is cut off."""
    lines = ["set -e"]
    if step.change.action is Action.DELETE:
        lines += [ufw("delete", saved["ufw"]) for saved in step.details.get("saved", ())]
    else:
        yield from reload_files(step)
        lines += [*_changed(step), *delete_offenders(step)]
    if step.details.get("reload"):
        lines.append("ufw reload")
    yield Do("change ufw's rules", "\n".join(lines), deadline=step.timeouts.step)


def _changed(step: Step[FirewallRuleResource]) -> list[str]:
    """Commands from what ufw has saved to what is declared."""
    rule = step.resource
    keeps_out = rule.action in {"deny", "reject"}
    wanted = _wanted(step)
    saved = {source: item for item in step.details.get("saved", ()) for source in item["source"]}
    stale = [item["ufw"] for source, item in saved.items() if source not in wanted]
    if step.details.get("again"):
        # ufw leaves a rule that it knows where it is: only a new one comes first.
        stale, saved = [item["ufw"] for item in saved.values()], {}
    missing = [source for source in wanted if not _fits(rule, saved.get(source))]
    if set(_EVERYBODY.values()) <= set(missing):
        missing = ["any", *(source for source in missing if source not in _EVERYBODY.values())]
    adding = [
        ufw("prepend" if keeps_out else "", _words(rule, source), _comment(rule, saved.get(source)))
        for source in missing
    ]
    deleting = [ufw("delete", words) for words in stale]
    return [*deleting, *adding] if keeps_out else [*adding, *deleting]


def _wanted(step: Step[FirewallRuleResource]) -> list[str]:
    families = step.details.get("families", [4, 6])
    found: list[str] = []
    for source in step.resource.sources:
        found += [_EVERYBODY[family] for family in families] if source == "any" else [source]
    return found


def _fits(rule: FirewallRuleResource, saved: dict[str, str] | None) -> bool:
    return saved is not None and saved["action"] == rule.action and rule.comment in {None, saved["comment"]}


def _comment(rule: FirewallRuleResource, saved: dict[str, str] | None) -> str | None:
    """The declared comment; where none is, the one that is there, which ufw would otherwise take away."""
    if rule.comment is not None:
        return rule.comment
    return (saved or {}).get("comment") or None


def _words(rule: FirewallRuleResource, source: str) -> list[str]:
    words: list[str] = [rule.action, rule.direction, *(["on", rule.interface] if rule.interface else [])]
    words += ["proto", rule.protocol] if rule.protocol != "any" else []
    words += ["from", source, "to", "any"]
    return words + (["port", rule.port] if rule.port != "any" else [])
