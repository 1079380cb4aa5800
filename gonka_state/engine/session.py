"""One connected cluster, for looking. With `hands`, which changes hosts, all that knows how pyinfra runs."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import gevent
import gevent.local
from pyinfra.api import Config, FactBase, Inventory, State
from pyinfra.api.exceptions import ConnectError
from pyinfra.context import ctx_host, ctx_state

from gonka_state.engine import remote
from gonka_state.engine.retry import pauses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gevent.lock import BoundedSemaphore, RLock
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


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Why a host could not be connected to, and what to do."""

    reason: str
    hint: str = ""


@dataclass(slots=True)
class Session:
    """Connected hosts. `execs` counts what was run per host, looks and steps alike."""

    state: State
    run: Run
    hosts: Mapping[str, Host]
    logins: Mapping[str, Login]
    unreachable: dict[str, Unreachable] = field(default_factory=dict)
    execs: dict[str, int] = field(default_factory=dict)
    operating: dict[str, RLock] = field(default_factory=dict)
    at_once: dict[str, BoundedSemaphore] = field(default_factory=dict)

    def each(self, names: Iterable[str], work: Callable[[str], T]) -> dict[str, T]:
        """`work(host)` for several hosts at once, in pyinfra's own pool."""
        jobs = {name: self.state.pool.spawn(self._in_context, name, work) for name in names}
        gevent.joinall(list(jobs.values()), raise_error=True)
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

    def reconnect(self, name: str) -> None:
        """Try once to get a lost connection back; without success the next use says so itself."""
        host = self.hosts[name]
        _close(host)
        host.connected = False
        _connect(host, self.logins[name], self.run, lambda _host, _text: None)

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
    session = Session(state, run, hosts, logins)
    ctx_state.set(state)
    try:
        reasons = session.each(logins, lambda name: _connect(hosts[name], logins[name], run, on_event))
        session.unreachable.update({name: reason for name, reason in reasons.items() if reason})
        state.active_hosts = {host for name, host in hosts.items() if name not in session.unreachable}
        yield session
    finally:
        for host in hosts.values():
            _close(host)
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
        "ssh_known_hosts_file": login.known_hosts,
        "ssh_strict_host_key_checking": "yes",
        "ssh_paramiko_connect_kwargs": limits,
    }


def _connect(host: Host, login: Login, run: Run, on_event: Callable[[str, str], None]) -> Unreachable | None:
    early = _before_connecting(login)
    if early is not None:
        return early
    problem: Unreachable | None = None
    for wait in pauses(run.retries):
        time.sleep(wait)
        try:
            host.connect(show_errors=False, raise_exceptions=True)
        except ConnectError as error:
            problem, again = _explain(str(error), login)
        except Exception as error:  # noqa: BLE001 (a key that cannot be read, a damaged known_hosts file)
            problem, again = _explain(words(error), login)
        else:
            _speed_up(host)
            return None
        if not again:
            break
        on_event(host.name, f"connecting again: {problem.reason}")
    return problem


def _before_connecting(login: Login) -> Unreachable | None:
    if not Path(login.key).is_file():
        return Unreachable(f"the SSH key {login.key} is not there", "set ssh.key in the cluster's YAML")
    if not Path(login.known_hosts).is_file():
        return Unreachable(
            f"no host key is pinned: {login.known_hosts} is not there",
            f"compare and pin: ssh-keyscan -p {login.port} {login.address} >> {login.known_hosts}",
        )
    return None


# What paramiko and pyinfra say, what it means, what to do, and whether trying again can help.
_MEANINGS = (
    ("Invalid private key", "the SSH key {key} cannot be read", "is it a private key, and without a passphrase?", False),
    ("passphrase", "the SSH key {key} cannot be read", "is it a private key, and without a passphrase?", False),
    ("does not match", "its host key is not the pinned one",
     "if the host was reinstalled, remove its line from {known_hosts} and pin the new key; if not, do not connect", False),
    ("not found in known_hosts", "its host key is not pinned",
     "compare and pin: ssh-keyscan -p {port} {address} >> {known_hosts}", False),
    ("Authentication", "it refuses the key {key} for user {user}", "is the public key in ~{user}/.ssh/authorized_keys?", False),
    ("No existing session", "nothing that speaks SSH answers on {address} port {port}",
     "does sshd listen there, and is the host not overloaded?", True),
    ("protocol banner", "nothing that speaks SSH answers on {address} port {port}",
     "does sshd listen there, and is the host not overloaded?", True),
    ("resolve", "{address} does not resolve", "check the address in the cluster's YAML", False),
    ("timed out", "no answer from {address} port {port}", "is the host on, and does a firewall drop port {port}?", False),
    ("Unable to connect", "no answer from {address} port {port}", "is the host on, and is sshd listening on port {port}?", True),
    ("No route", "no route to {address}", "is the host on, and on this network?", False),
    ("unreachable", "no route to {address}", "is the host on, and on this network?", False),
)  # fmt: skip


def _explain(said: str, login: Login) -> tuple[Unreachable, bool]:
    values = {
        "address": login.address, "port": login.port, "user": login.user,
        "key": login.key, "known_hosts": login.known_hosts,
    }  # fmt: skip
    for text, reason, hint, again in _MEANINGS:
        if text.lower() in said.lower():
            return Unreachable(reason.format(**values), hint.format(**values)), again
    return Unreachable(f"SSH to {login.user}@{login.address} failed: {said}"), True


def _speed_up(host: Host) -> None:
    """Without this every further exec waits 40 ms for Nagle, and an idle connection dies unnoticed."""
    client = getattr(host.connector, "client", None)
    transport = client.get_transport() if client is not None else None
    if transport is not None:
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport.set_keepalive(15)


def _close(host: Host) -> None:
    client = getattr(host.connector, "client", None)
    if client is not None:
        client.close()


def words(error: BaseException) -> str:
    """An exception in one short line."""
    return f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
