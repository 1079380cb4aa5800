"""Asking hosts for their keys and judging them: those that others are reached through come first."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from gevent.pool import Pool

from gonka_state.core.trust import Key, Terms, Trust, Verdict, decide
from gonka_state.engine import known_hosts
from gonka_state.engine.host_keys import offered
from gonka_state.engine.unreachable import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.core.desired import Login
    from gonka_state.engine.jump import Jumps

AT_ONCE = 60


def waves(logins: Iterable[Login]) -> list[list[Login]]:
    """Hosts and their jump hosts, each once, by how many hops they are away."""
    found: dict[tuple[str, str], Login] = {}
    whole = list(logins)
    hops = [replace(hop, via=login.via[:index]) for login in whole for index, hop in enumerate(login.via)]
    for login in (*whole, *hops):
        found.setdefault((login.known_hosts, login.pinned_as), login)
    depth = max((len(login.via) for login in found.values()), default=0)
    return [[login for login in found.values() if len(login.via) == far] for far in range(depth + 1)]


def judge(logins: Sequence[Login], jumps: Jumps, terms: Terms, timeout: float) -> list[tuple[Login, Trust]]:
    """Ask hosts, all at once, and judge what they show; `timeout` in seconds per handshake.

    Raises:
        InputError: a known_hosts file cannot be read.
    """
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    shown = Pool(AT_ONCE).map(lambda login: offered(login, jumps, timeout), logins)
    return [(login, _judge(login, keys, terms)) for login, keys in zip(logins, shown, strict=True)]


def _judge(login: Login, keys: Sequence[Key] | Unreachable, terms: Terms) -> Trust:
    if isinstance(keys, Unreachable):
        return Trust(login.host, login.pinned_as, Verdict.UNKNOWN, reason=keys.reason, hint=keys.hint)
    pinned = known_hosts.pinned(known_hosts.read(login.known_hosts), login.pinned_as)
    return decide(login.host, login.pinned_as, keys, list(pinned.values()), terms)
