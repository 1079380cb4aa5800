"""Jump hosts: one connection to each, shared by every host that is reached through it.

pyinfra jumps only as an ssh_config tells it, with one connection to the jump host per target, and with a
policy of its own there. Here the way is ours: the same key, known_hosts and refusal of unknown keys at
every hop, and the target gets a channel through the last one.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import paramiko
from gevent.lock import BoundedSemaphore

from gonka_state.engine.unreachable import Unreachable, before_connecting, explain, words

if TYPE_CHECKING:
    from gonka_state.core.desired import Login

KEEPALIVE = 15
"""Seconds between signs of life: an idle connection would die unnoticed."""


class JumpError(Exception):
    """A jump host cannot be used; `problem` says why, `again` whether trying again can help."""

    def __init__(self, problem: Unreachable, *, again: bool) -> None:
        super().__init__(problem.reason)
        self.problem = problem
        self.again = again


@dataclass(slots=True)
class Jumps:
    """The jump hosts' connections of one run. `timeout` in seconds, per attempt."""

    timeout: float
    _clients: dict[tuple[Login, ...], paramiko.SSHClient] = field(default_factory=dict)
    _locks: dict[tuple[Login, ...], BoundedSemaphore] = field(default_factory=dict)

    def channel(self, login: Login) -> paramiko.Channel:
        """A fresh channel to a host through the last of its jump hosts.

        Raises:
            JumpError: a jump host cannot be used, or does not reach the host.
        """
        return self._through(login.via, login)

    def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            client.close()

    def _through(self, via: tuple[Login, ...], target: Login) -> paramiko.Channel:
        with self._locks.setdefault(via, BoundedSemaphore()):
            client = self._clients.get(via)
            transport = client.get_transport() if client is not None else None
            if transport is None or not transport.is_active():
                transport = self._connect(via)
        try:
            return transport.open_channel(
                "direct-tcpip", (target.address, target.port), ("127.0.0.1", 0), timeout=self.timeout
            )
        except Exception as error:
            if not answers(self._clients[via], self.timeout):
                self._clients[via].close()  # so that the next try makes it anew
            problem, again = explain(words(error), target)
            raise JumpError(problem, again=again) from error

    def _connect(self, via: tuple[Login, ...]) -> paramiko.Transport:
        hop, before = via[-1], via[:-1]
        early = before_connecting(hop)
        if early is not None:
            raise JumpError(early, again=False)
        sock = self._through(before, hop) if before else None
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            client.load_host_keys(hop.known_hosts)
            client.connect(
                hop.address, hop.port, hop.user, key_filename=hop.key, allow_agent=False, look_for_keys=False,
                timeout=self.timeout, banner_timeout=self.timeout, auth_timeout=self.timeout,
                channel_timeout=self.timeout, sock=sock,
            )  # fmt: skip
        except Exception as error:
            client.close()
            problem, again = explain(words(error), hop)
            told = replace(problem, reason=f"the jump host {hop.address}: {problem.reason}")
            raise JumpError(told, again=again) from error
        transport = client.get_transport()
        if transport is None:
            raise JumpError(Unreachable(f"the jump host {hop.address} closed the connection"), again=True)
        speed_up(transport)
        self._clients[via] = client
        return transport


def answers(client: paramiko.SSHClient | None, seconds: float) -> bool:
    """Whether the other side still says anything, be it that it opens no further channel."""
    transport = client.get_transport() if client is not None else None
    if transport is None or not transport.is_active():
        return False
    try:
        transport.open_session(timeout=seconds).close()
    except paramiko.ChannelException:
        return True
    except Exception:  # noqa: BLE001 (a dying connection raises many kinds)
        return False
    return True


def speed_up(transport: paramiko.Transport) -> None:
    """Without this every further exec waits 40 ms for Nagle, and an idle connection dies unnoticed."""
    if isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    transport.set_keepalive(KEEPALIVE)
