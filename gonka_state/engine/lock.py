"""One converge per cluster at a time, held by the connection itself: no stale lock can remain."""

from __future__ import annotations

import getpass
import secrets
import shlex
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gevent.lock import BoundedSemaphore

from gonka_state.engine.hands import Hands
from gonka_state.engine.remote import as_root
from gonka_state.engine.retry import pauses
from gonka_state.engine.unreachable import words
from gonka_state.errors import RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gonka_state.engine.session import Session

FRESH = 5.0
"""Seconds for which an answer of the lock's holder counts."""

_LOCKED, _BUSY, _ECHO = "locked", "busy", "?"

# `cat` ends when the channel closes, and the lock with it; that it echoes proves that it is still there. The file
# tells who has or had the lock. A connection that died may leave a holder of ours behind, of whose end the host knows
# nothing yet: only that one is ended. Whoever takes the lock back must not have missed somebody else's turn.
_LOCK = r"""
mkdir -p /run/gonka-state && file="/run/gonka-state/$cluster.lock" && exec 9>>"$file" || exit
told() { who= token= holder=; { read -r who; read -r token holder; } <"$file"; }
busy() { told; echo "busy $who"; exit; }
flock -n 9 || { told; [ "$token" = "$mine" ] && { kill -9 "$holder"; flock -w 5 9; }; } || busy
told
[ -z "$again" ] || [ -z "$who" ] || [ "$token" = "$mine" ] || busy
printf '%s\n%s %s\n' "$me" "$mine" "$$" >"$file"
echo locked
exec cat
"""


def _name(answer: str) -> str:
    return answer.removeprefix(_BUSY).strip() or "somebody"


def _who() -> str:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    return f"{getpass.getuser()}@{socket.gethostname()} since {since}"


@dataclass(slots=True)
class Lock:
    """A cluster's lock, on one host. `stopped` is why no step may start any more; empty while none was refused."""

    session: Session
    host: str
    cluster: str
    stopped: str = ""
    _who: str = field(default_factory=_who)
    _token: str = field(default_factory=lambda: secrets.token_hex(8))
    _channel: Any = None
    _said: Any = None
    _heard: float = 0.0
    _turn: BoundedSemaphore = field(default_factory=BoundedSemaphore)

    def take(self) -> None:
        """Take it for the first time.

        Raises:
            RefusedError: somebody else is converging this cluster; names who and since when.
        """
        answer = self._ask_for_it(again=False)
        if answer.startswith(_BUSY):
            raise RefusedError(
                f"{self.cluster} is being converged by {_name(answer)} (lock on {self.host})",
                hint="wait for it to end; a converge that died has already released its lock",
            )
        if answer != _LOCKED:
            raise RefusedError(f"the lock on {self.host} could not be taken: {answer}")

    def lost(self) -> str:
        """Why no step may start any more; empty while it is held, or could be taken back at once."""
        with self._turn:
            if not self.stopped and not self._held():
                self.stopped = self._take_back()
            return self.stopped

    def release(self) -> None:
        """Let the next one have it."""
        if self._channel is not None:
            self._channel.close()

    def _held(self) -> bool:
        if self._channel.closed:
            return False
        if time.monotonic() - self._heard < FRESH:
            return True
        try:
            self._channel.sendall(f"{_ECHO}\n".encode())
            echoes: bool = self._said.readline().strip() == _ECHO
        except Exception:  # noqa: BLE001 (a dying connection raises many kinds)
            return False
        self._heard = time.monotonic()
        return echoes

    def _take_back(self) -> str:
        answer = ""
        for wait in pauses(self.session.run.retries):
            time.sleep(wait)
            self.release()
            problem = self.session.reconnect(self.host)
            answer = problem.reason if problem is not None else self._ask_for_it(again=True)
            if answer == _LOCKED:
                return ""
            if answer.startswith(_BUSY):
                return f"the lock on {self.host} was lost, and {_name(answer)} has taken it since"
        return f"the lock on {self.host} was lost and could not be taken again: {answer}"

    def _ask_for_it(self, *, again: bool) -> str:
        """What the host says to that, or what went wrong."""
        me, cluster = shlex.quote(self._who), shlex.quote(self.cluster)
        script = f"cluster={cluster} me={me} mine={self._token} again={'yes' if again else ''}{_LOCK}"
        refused = "echo 'sudo without a password was refused'"
        try:
            self._channel = Hands(self.session).hold(self.host, as_root(script, otherwise=refused))
            self._channel.settimeout(self.session.run.timeouts.connect + 5)
            self._said = self._channel.makefile("r")
            answer = self._said.readline() or self._channel.makefile_stderr("r").readline()
        except TimeoutError:
            return f"no answer within {self.session.run.timeouts.connect + 5} s"
        except Exception as error:  # noqa: BLE001 (a dying connection raises many kinds)
            return words(error)
        self._heard = time.monotonic()
        return str(answer).strip() or "nothing"


@contextmanager
def cluster_lock(session: Session, cluster: str, hosts: Sequence[str]) -> Iterator[Lock | None]:
    """Hold the cluster's lock on the first reachable of `hosts` (the network host comes first); None without one.

    Raises:
        RefusedError: somebody else is converging this cluster; names who and since when.
    """
    reachable = [host for host in hosts if host not in session.unreachable]
    if not reachable:
        yield None
        return
    lock = Lock(session, reachable[0], cluster)
    try:
        lock.take()
        yield lock
    finally:
        lock.release()
