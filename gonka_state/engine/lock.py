"""One converge per cluster at a time, held by the connection itself: no stale lock can remain."""

from __future__ import annotations

import getpass
import shlex
import socket
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gonka_state.engine.hands import Hands
from gonka_state.engine.remote import as_root
from gonka_state.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonka_state.engine.session import Session

# `cat` ends when the channel closes, and flock with it. The file's text only tells who holds it.
_LOCK = r"""
mkdir -p /run/gonka-state && file=/run/gonka-state/CLUSTER.lock && touch "$file"
flock -n "$file" sh -c 'printf "%s\n" "$2" >"$1"; echo locked; cat >/dev/null' lock "$file" WHO \
  || { printf 'busy '; cat "$file"; }
"""


@contextmanager
def cluster_lock(session: Session, cluster: str, hosts: Sequence[str]) -> Iterator[None]:
    """Hold the cluster's lock on the first reachable of `hosts` (the network host comes first).

    Raises:
        RefusedError: somebody else is converging this cluster; names who and since when.
    """
    reachable = [host for host in hosts if host not in session.unreachable]
    if not reachable:
        yield
        return
    since = datetime.now(UTC).isoformat(timespec="seconds")
    who = f"{getpass.getuser()}@{socket.gethostname()} since {since}"
    script = _LOCK.replace("CLUSTER", cluster).replace("WHO", shlex.quote(who))
    refused = "echo 'sudo without a password was refused'"
    channel = Hands(session).hold(reachable[0], as_root(script, otherwise=refused))
    try:
        channel.settimeout(session.run.timeouts.connect + 5)
        answer = channel.makefile("r").readline().strip()
        if answer.startswith("busy"):
            raise RefusedError(
                f"{cluster} is being converged by {answer.removeprefix('busy ')} (lock on {reachable[0]})",
                hint="wait for it to end; a converge that died has already released its lock",
            )
        if answer != "locked":
            said = answer or channel.makefile_stderr("r").readline().strip() or "nothing"
            raise RefusedError(f"the lock on {reachable[0]} could not be taken: {said}")
        yield
    finally:
        channel.close()
