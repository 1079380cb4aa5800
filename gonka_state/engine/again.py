"""A second look at the hosts of which something is unknown: cron must not wake anybody for a lost packet."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.engine.retry import LOOK_AGAIN
from gonka_state.engine.unreachable import before_connecting

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource


def unsure(desired: Desired[Resource], plan: Plan) -> list[str]:
    """The hosts that a second look may tell more of.

    An operator's value that is not set, and what this machine lacks for connecting, will not come by waiting.
    """
    silent = {looked.host for looked in plan.hosts if looked.unknown and not looked.maintenance}
    partly = {
        change.address.host
        for change in plan.unknown
        if change.address not in desired.resources or not desired.resources[change.address].withheld
    }
    hopeless = {host for host in silent if before_connecting(desired.hosts[host]) is not None}
    return [looked.host for looked in plan.hosts if looked.host in (silent | partly) - hopeless]


def look_again(
    snapshot: Snapshot,
    hosts: Collection[str],
    look: Callable[[Collection[str]], Snapshot],
    pause: float = LOOK_AGAIN,
) -> Snapshot:
    """The snapshot with a second look at these hosts laid over it, after a pause. Once, and never more."""
    time.sleep(pause)
    again = look(hosts)
    asked = {host: found for host, found in again.hosts.items() if host in hosts}
    return snapshot.updated(replace(again, hosts=asked))
