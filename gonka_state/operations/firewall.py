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

# ufw makes the jumps to its chains only together with the chains: where somebody has flushed INPUT, enabling
# and reloading set the policy to DROP and leave nobody in. So the jumps are put back first, in ufw's order.
# What iptables is asked whether it has, version 1.8.7 (Ubuntu 22.04) prints: into the rules that are to be loaded.
_JUMPS = """\
jumps() {
  ! "$1" -w 10 -n -L "$2-before-logging-input" >/dev/null 2>&1 || {
    echo '*filter'
    for way in INPUT-input OUTPUT-output FORWARD-forward; do
      for step in before-logging before after after-logging reject track; do
        rule="${way%-*} -j $2-$step-${way#*-}"
        ! "$1" -w 10 -C $rule >/dev/null 2>&1 || echo "-D $rule"
        echo "-A $rule"
      done
    done
    echo COMMIT
  } | "$1-restore" -w 10 -n
}
jumps iptables ufw
[ ! -e /proc/net/if_inet6 ] || jumps ip6tables ufw6"""


def apply(step: Step[FirewallResource]) -> Commands:
    """Policies first, the switch last, so that a firewall never starts with a policy nobody wanted."""
    resource, lines = step.resource, ["set -e"]
    switch = step.differs("enabled")
    if switch and resource.enabled:
        lines.append(_JUMPS)
    changed = [name for name in ("incoming", "outgoing", "routed") if step.differs(name)]
    lines += [f"ufw default {getattr(resource, name)} {name}" for name in changed]
    if switch and resource.enabled:
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
    for offender in step.details.get("offenders", ()):
        if offender["ufw"]:
            lines.append(ufw("delete", offender["ufw"]))
        elif not offender["file"]:
            lines.append(f"! {_rule(offender, 'C')} >/dev/null 2>&1 || {_rule(offender, 'D')}")
    return lines


def reload_files(step: Step[Any]) -> Commands:
    """Have ufw load its own chains again where a rule in the way stands in one of them.

    Raises:
        StepError: the rule comes back, so it is in a file that only a person edits.
    """
    for offender in step.details.get("offenders", ()):
        if not offender["file"]:
            continue
        script = f"ufw reload && ! {_rule(offender, 'C')} 2>/dev/null"
        result = yield Do("load ufw's own chains again", script, check=False, deadline=step.timeouts.step)
        if result.status != 0:
            raise StepError(
                f"{offender['text']} is in the way and comes from {offender['file']}",
                hint=f"remove it from {offender['file']}, run `ufw reload`, then converge again",
            )


def _rule(offender: Mapping[str, Any], verb: str) -> str:
    program = "iptables" if offender["family"] == 4 else "ip6tables"  # noqa: PLR2004 (a family)
    return f"{program} -w 10 -{verb} " + shlex.join((offender["chain"], *offender["words"]))


def ufw(verb: str, words: Iterable[str], comment: str | None = None) -> str:
    """A shell line that gives ufw a rule; `verb` is `delete`, `prepend` or nothing."""
    head, *rest = words
    start = ["route", verb, *rest] if head == "route" else [verb, head, *rest]
    tail = ["comment", comment] if comment is not None else []
    return shlex.join(("ufw", *filter(None, (*start, *tail))))
