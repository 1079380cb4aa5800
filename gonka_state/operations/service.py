"""Starting, stopping, enabling and disabling a unit. Nothing is restarted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.operations.base import Do, fail

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.service import ServiceResource

# pyinfra's own operation neither clears a unit that systemd gave up, nor says why a start failed; and one that ends
# and is started again holds `systemctl start` for ever.
_START = r"""
systemctl reset-failed -- "$unit" 2>/dev/null
systemctl start --no-block -- "$unit" || exit 1
while :; do
  case $(systemctl show -p ActiveState,SubState,Job -- "$unit" | sort | tr '\n' ' ') in
    *SubState=auto-restart*) break ;;
    ActiveState=active* | ActiveState=reloading*) exit 0 ;;
    ActiveState=activating* | *' Job='[1-9]*) sleep 0.3 ;;
    *) break ;;
  esac
done
systemctl show -p Result --value -- "$unit" >&2
journalctl --no-pager -q -o cat -n 5 -u "$unit" >&2
exit 1
"""


def apply(step: Step[ServiceResource]) -> Commands:
    """Do what differs: enable or disable first, then start or stop.

    Raises:
        StepError: systemd refused, with the unit's last words.
    """
    wish = step.resource
    unit = quote(wish.unit)
    if step.differs("enabled"):
        verb = "enable" if wish.enabled else "disable"
        yield Do(f"{verb} {wish.unit}", f"systemctl --quiet {verb} -- {unit}", deadline=step.timeouts.step)
    if not step.differs("running"):
        return
    if not wish.running:
        yield Do(f"stop {wish.unit}", f"systemctl stop -- {unit}", deadline=step.timeouts.step)
        return
    script = f"unit={unit}{_START}"
    result = yield Do(f"start {wish.unit}", script, deadline=step.timeouts.step, check=False)
    if result.status:
        hint = f"journalctl -u {wish.unit} on the host has the rest"
        raise fail(result, f"{wish.unit} did not start", hint)
