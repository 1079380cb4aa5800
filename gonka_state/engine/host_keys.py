"""The keys a host shows to everybody: SSH's own handshake, up to where somebody would log in."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING

import paramiko

from gonka_state.core.trust import Key
from gonka_state.engine.jump import JumpError
from gonka_state.engine.unreachable import explain, words

if TYPE_CHECKING:
    from gonka_state.core.desired import Login
    from gonka_state.engine.jump import Jumps
    from gonka_state.engine.unreachable import Unreachable

# A handshake shows one key, so one is made per family of types.
FAMILIES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
)


def offered(login: Login, jumps: Jumps, timeout: float) -> tuple[Key, ...] | Unreachable:
    """Every key a host has, or why it could not be asked. Logs in to its jump hosts, never to itself."""
    keys: list[Key] = []
    for family in FAMILIES:
        try:
            keys.append(_shown(login, jumps, family, timeout))
        except paramiko.ssh_exception.IncompatiblePeer:
            continue
        except JumpError as error:
            return error.problem
        except Exception as error:  # noqa: BLE001 (whatever ends a handshake: this host has not shown its keys)
            return explain(words(error), login)[0]
    return tuple(keys)


def _shown(login: Login, jumps: Jumps, family: tuple[str, ...], timeout: float) -> Key:
    sock = (
        jumps.channel(login)
        if login.via
        else socket.create_connection((login.address, login.port), timeout=timeout)
    )
    with closing(paramiko.Transport(sock)) as transport:
        transport.banner_timeout = timeout
        transport.get_security_options().key_types = family
        transport.start_client(timeout=timeout)
        key = transport.get_remote_server_key()
        return Key(key.get_name(), key.get_base64())
