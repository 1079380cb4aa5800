"""Switching ufw on or off and setting its default policies; and what its rules' steps share."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from gonka_state.errors import StepError
from gonka_state.operations.base import Do

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.firewall import FirewallResource

# Without this a host's IPv6 would stay open whatever is declared.
_FILTER_IPV6 = "sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw"


def apply(step: Step[FirewallResource]) -> Commands:
    """Policies first, the switch last, so that a firewall never starts with a policy nobody wanted."""
    resource, lines = step.resource, ["set -e"]
    switch = step.differs("enabled")
    if switch and resource.enabled and step.details.get("filter_ipv6"):
        lines.append(_FILTER_IPV6)
    changed = [name for name in ("incoming", "outgoing", "routed") if step.differs(name)]
    lines += [f"ufw default {getattr(resource, name)} {name}" for name in changed]
    if switch and resource.enabled:
        # A ufw that says it is on but is not loaded is only loaded by a reload.
        lines += ["systemctl enable --quiet ufw.service", "ufw --force enable", "ufw reload"]
    elif switch:
        lines += ["ufw --force disable", *_ufw_stop(step)]
    elif step.details.get("active"):
        lines.append("ufw reload")
    yield Do("set up ufw", "\n".join(lines), deadline=step.timeouts.step)


def _ufw_stop(step: Step[FirewallResource]) -> list[str]:
    """Take loaded chains out of the kernel where ufw itself believes to be off."""
    return ["/lib/ufw/ufw-init force-stop"] if step.details.get("active") else []


def delete_offenders(step: Step[Any]) -> list[str]:
    """Shell lines that delete exactly the rules in the way, as the look named them."""
    lines: list[str] = []
    for offender in _ours_to_delete(step.details.get("offenders", ())):
        if offender["ufw"]:
            lines.append(ufw("delete", offender["ufw"]))
            continue
        program = "iptables" if offender["family"] == 4 else "ip6tables"  # noqa: PLR2004 (a family)
        rule = shlex.join((offender["chain"], *offender["words"]))
        lines.append(f"! {program} -w 10 -C {rule} 2>/dev/null || {program} -w 10 -D {rule}")
    return lines


def refuse_files(step: Step[Any]) -> None:
    """Stop where a rule in the way belongs to a file that only a person edits.

    Raises:
        StepError: naming the rule and the file.
    """
    for offender in step.details.get("offenders", ()):
        if offender["file"]:
            raise StepError(
                f"{offender['text']} is in the way and comes from {offender['file']}",
                hint=f"remove it from {offender['file']}, run `ufw reload`, then converge again",
            )


def ufw(verb: str, words: Iterable[str], comment: str | None = None) -> str:
    """A shell line that gives ufw a rule; `verb` is `delete`, `prepend` or nothing."""
    head, *rest = words
    start = ["route", verb, *rest] if head == "route" else [verb, head, *rest]
    tail = ["comment", comment] if comment is not None else []
    return shlex.join(("ufw", *filter(None, (*start, *tail))))


def _ours_to_delete(offenders: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [offender for offender in offenders if not offender["file"]]
