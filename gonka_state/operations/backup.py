"""Takes a snapshot now, and has systemd take the next ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.units import human_bytes
from gonka_state.errors import StepError
from gonka_state.facts.backup import STATUS, UNIT
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do, Say

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.backup import BackupResource

HOURS = 2 * 3600 + 60
"""Seconds: what the unit allows, and a little for saying so."""

# Through systemd where the program's own unit does all that is wanted: its log is where an operator looks for it.
_SCHEDULE = (
    f"systemctl daemon-reload && systemctl enable --quiet {UNIT}.timer && systemctl restart {UNIT}.timer"
)
_RUN = r"""
since=$(date '+%Y-%m-%d %H:%M:%S')
systemctl start -- "$unit" 2>/dev/null && exit 0
journalctl --no-pager -q -o cat -t python3 -u "$unit" --since "$since" | tail -n 3 >&2
exit 1
"""


def apply(step: Step[BackupResource]) -> Commands:
    """Close what differs: the timer first, so that a repository that fails now is tried again later.

    Raises:
        StepError: no snapshot was taken, in restic's words.
    """
    create = step.change.action is Action.CREATE
    if create or step.differs("scheduled"):
        yield Do("have systemd take backups", _SCHEDULE, deadline=step.timeouts.step)
    if step.differs("checked"):
        yield from now(step.resource, check=True)
    elif create or step.differs("fresh") or step.differs("whole"):
        yield from now(step.resource, check=False)


def now(wish: BackupResource, *, check: bool) -> Commands:
    """Take a snapshot; with `check` read the whole repository back as well.

    Raises:
        StepError: no snapshot was taken, in restic's words.
    """
    script = f"unit={UNIT}.service{_RUN}"
    if check:
        script = f"python3 -B {quote(wish.program)}/backup.py run --check >/dev/null"
    result = yield Do("take a snapshot", script, deadline=HOURS, check=False)
    if result.status:
        words = result.words or f"the backup ended with status {result.status}"
        raise StepError(f"no backup: {words}", hint=f"journalctl -u {UNIT} on this host has the rest")
    told = yield Do("read what was taken", f"cat {STATUS}", again=True)
    taken = json.loads(told.stdout)
    yield Say(f"snapshot {taken['snapshot']}, {human_bytes(taken['bytes'])}, {taken['seconds']} s")
