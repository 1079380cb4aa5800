"""One connected cluster, for looking. With `hands`, which changes hosts, all that knows how pyinfra runs."""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
import gevent.local
from gevent.lock import BoundedSemaphore
from pyinfra.api import Config, FactBase, Inventory, State
from pyinfra.api.exceptions import ConnectError
from pyinfra.context import ctx_host, ctx_state

from gonka_state.engine import remote
from gonka_state.engine.jump import JumpError, Jumps, answers, speed_up
from gonka_state.engine.retry import pauses
from gonka_state.engine.together import finish
from gonka_state.engine.unreachable import Unreachable, before_connecting, explain, words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gevent.lock import RLock
    from pyinfra.api.host import Host

    from gonka_state.core.desired import Login, Run

T = TypeVar("T")

CONNECTIONS_LIMIT = 60
GRACE = 15
"""Seconds our side waits beyond a deadline that the host enforces itself."""


class _Look(FactBase[list[str]]):
    """The answer of a look's script, line by line; None when there was none."""

    def command(self, size: int) -> str:
        return remote.look_command(size)

    def process(self, output: Iterable[str]) -> list[str]:
        return list(output)


@dataclass(slots=True)
class Session:
    """Connected hosts. `execs` counts what was run per host, looks and steps alike."""

    state: State
    run: Run
    hosts: Mapping[str, Host]
    logins: Mapping[str, Login]
    jumps: Jumps
    unreachable: dict[str, Unreachable] = field(default_factory=dict)
    execs: dict[str, int] = field(default_factory=dict)
    operating: dict[str, RLock] = field(default_factory=dict)
    at_once: dict[str, BoundedSemaphore] = field(default_factory=dict)
    reconnecting: dict[str, BoundedSemaphore] = field(default_factory=dict)
    in_vain: dict[str, tuple[float, Unreachable]] = field(default_factory=dict)

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T]:
        """`work(host)` for several hosts at once, in pyinfra's own pool."""
        jobs = {name: self.state.pool.spawn(self._in_context, name, work) for name in names}
        finish(list(jobs.values()))
        return {name: job.get() for name, job in jobs.items()}

    def enter(self, name: str) -> None:
        """Make this session and one of its hosts the ones that pyinfra works on in this greenlet."""
        ctx_state.set(self.state)
        ctx_host.set(self.hosts[name])

    def _in_context(self, name: str, work: Callable[[str], T]) -> T:
        self.enter(name)
        return work(name)

    def look(self, name: str, script: str, deadline: float) -> list[str] | None:
        """One exec: the look's script on stdin. None when no answer came back."""
        self.count(name)
        answer: list[str] | None = self.hosts[name].get_fact(
            _Look,
            size=len(script.encode()),
            _stdin=script,
            _timeout=int(deadline) + GRACE,
            _ignore_errors=True,
        )
        return answer

    def stream(self, name: str, script: str, deadline: float, on_line: Callable[[str], None]) -> list[str]:
        """One exec whose lines are told as they come; what came until the deadline or a lost connection.

        Raises:
            OSError, SSHException: the exec could not be started.
        """
        self.count(name)
        client: Any = self.hosts[name].connector.client  # type: ignore[attr-defined]  # ssh connector only
        channel = client.get_transport().open_session(timeout=self.run.timeouts.connect)
        channel.exec_command(remote.look_command(len(script.encode())))
        channel.sendall(script.encode())
        channel.settimeout(1.0)
        lines, rest, ends = list[str](), b"", time.monotonic() + deadline + GRACE
        while time.monotonic() < ends:
            try:
                data = channel.recv(65536)
            except TimeoutError:
                continue
            if not data:
                break
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                lines.append(line.decode("utf-8", "surrogateescape"))
                on_line(lines[-1])
        channel.close()
        return lines

    def reconnect(self, name: str) -> Unreachable | None:
        """Get a lost connection back, or say why not; one that still answers stays, with all that runs on it."""
        # What loses a connection loses it for every lane of the host: only the first makes it anew, or tries in vain.
        asked = time.monotonic()
        with self.reconnecting.setdefault(name, BoundedSemaphore()):
            tried, problem = self.in_vain.get(name, (0.0, None))
            if tried > asked:
                return problem
            host = self.hosts[name]
            if answers(getattr(host.connector, "client", None), self.run.timeouts.connect + 5):
                return None
            _close(host)
            host.connected = False
            problem = _connect(host, self.logins[name], self, lambda _host, _text: None)
            if problem is not None:
                self.in_vain[name] = time.monotonic(), problem
            return problem

    def count(self, name: str) -> None:
        """One more exec on a host."""
        self.execs[name] = self.execs.get(name, 0) + 1


@contextmanager
def connect(
    logins: Mapping[str, Login], run: Run, *, on_event: Callable[[str, str], None]
) -> Iterator[Session]:
    """Connect to every host at once; those that refuse end up in `unreachable`, with the reason."""
    for name in ("pyinfra", "paramiko"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # pyinfra's current state is one for the whole process; clusters that are worked on side by side need their own.
    if not isinstance(ctx_state.context._container, gevent.local.local):  # noqa: SLF001 (no public way)
        ctx_state.context._container = gevent.local.local()  # noqa: SLF001 (as above)
    # Else gevent prints the traceback of every greenlet that fails; `each` hands the error on.
    gevent.get_hub().exception_stream = None
    inventory = Inventory(([(name, _data(login, run)) for name, login in logins.items()], {}))
    config = Config(
        PARALLEL=min(run.parallel, CONNECTIONS_LIMIT),
        CONNECT_TIMEOUT=run.timeouts.connect,
        TEMP_DIR="/tmp",  # noqa: S108 (never used: nothing is uploaded)
    )
    state = State(inventory, config, check_for_changes=False)
    state.is_executing = True
    hosts = {name: inventory.get_host(name) for name in logins}
    session = Session(state, run, hosts, logins, Jumps(run.timeouts.connect + 5))
    ctx_state.set(state)
    try:
        reasons = session.each(logins, lambda name: _connect(hosts[name], logins[name], session, on_event))
        session.unreachable.update({name: reason for name, reason in reasons.items() if reason})
        state.active_hosts = {host for name, host in hosts.items() if name not in session.unreachable}
        yield session
    finally:
        for host in hosts.values():
            _close(host)
        session.jumps.close()
        ctx_state.reset()


def _data(login: Login, run: Run) -> dict[str, Any]:
    limits = {
        name: float(run.timeouts.connect + 5)
        for name in ("channel_timeout", "banner_timeout", "auth_timeout")
    }
    return {
        "ssh_hostname": login.address,
        "ssh_user": login.user,
        "ssh_port": login.port,
        "ssh_key": login.key,
        # The way to a host is what the cluster file says: the login's own ~/.ssh/config has no part in it.
        "ssh_config_file": os.devnull,
        "ssh_known_hosts_file": login.known_hosts,
        "ssh_strict_host_key_checking": "yes",
        "ssh_paramiko_connect_kwargs": limits,
    }


def _connect(
    host: Host, login: Login, session: Session, on_event: Callable[[str, str], None]
) -> Unreachable | None:
    early = before_connecting(login)
    if early is not None:
        return early
    problem: Unreachable | None = None
    for wait in pauses(session.run.retries):
        time.sleep(wait)
        problem, again = _try(host, login, session)
        if problem is None or not again:
            break
        on_event(host.name, f"connecting again: {problem.reason}")
    return problem


def _try(host: Host, login: Login, session: Session) -> tuple[Unreachable | None, bool]:
    try:
        if login.via:
            # The connector's own: pyinfra hands out copies of a host's data.
            connector: Any = host.connector
            connector.data["ssh_paramiko_connect_kwargs"]["sock"] = session.jumps.channel(login)
        host.connect(show_errors=False, raise_exceptions=True)
    except JumpError as error:
        return error.problem, error.again
    except ConnectError as error:
        return explain(str(error), login)
    except Exception as error:  # noqa: BLE001 (a key that cannot be read, a damaged known_hosts file)
        return explain(words(error), login)
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client is not None else None
    if transport is not None:
        speed_up(transport)
    return None, False


def _close(host: Host) -> None:
    client = getattr(host.connector, "client", None)
    if client is not None:
        client.close()
