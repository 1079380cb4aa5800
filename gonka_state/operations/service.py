"""Starting, stopping, enabling and disabling a unit; a restart only for files that it has not read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.operations.base import Do, fail

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.service import ServiceResource

UNITS = "/etc/systemd/system/"

# pyinfra's own operation neither clears a unit that systemd gave up, nor says why a start failed; and one that ends
# and is started again holds `systemctl start` for ever.
_START = r"""
systemctl reset-failed -- "$unit" 2>/dev/null
systemctl "$verb" --no-block -- "$unit" || exit 1
while :; do
  case $(systemctl show -p ActiveState,SubState,Job -- "$unit" | sort | tr '\n' ' ') in
    *SubState=auto-restart*) break ;;
    *' Job='[1-9]*) sleep 0.3 ;;
    ActiveState=active* | ActiveState=reloading*) exit 0 ;;
    ActiveState=activating*) sleep 0.3 ;;
    *) break ;;
  esac
done
systemctl show -p Result --value -- "$unit" >&2
journalctl --no-pager -q -o cat -n 5 -u "$unit" >&2
exit 1
"""


def apply(step: Step[ServiceResource]) -> Commands:
    """Do what differs: enable or disable first, then start, restart or stop.

    Raises:
        StepError: systemd refused, with the unit's last words.
    """
    wish = step.resource
    unit = quote(wish.unit)
    if step.differs("enabled"):
        verb = "enable" if wish.enabled else "disable"
        yield Do(f"{verb} {wish.unit}", f"systemctl --quiet {verb} -- {unit}", deadline=step.timeouts.step)
    starts = step.differs("running")
    if not starts and not step.differs("current"):
        return
    if starts and not wish.running:
        yield Do(f"stop {wish.unit}", f"systemctl stop -- {unit}", deadline=step.timeouts.step)
        return
    verb = "start" if starts else "restart"
    # systemd is told of unit files that were written; it does not look by itself.
    told = any(path.startswith(UNITS) for path in wish.restart_on)
    script = f"{'systemctl daemon-reload' if told else ':'} && verb={verb} unit={unit}{_START}"
    result = yield Do(f"{verb} {wish.unit}", script, deadline=step.timeouts.step, check=False)
    if result.status:
        hint = f"journalctl -u {wish.unit} on the host has the rest"
        raise fail(result, f"{wish.unit} did not {verb}", hint)
