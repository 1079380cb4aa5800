"""Why a host could not be connected to, in an operator's words, and what to do."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonka_state.core.desired import Login


@dataclass(frozen=True, slots=True)
class NotPinned:
    """A host key that is not the pinned one: whose, and whether another one is pinned."""

    login: Login
    changed: bool


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Why a host could not be connected to, and what to do; `not_pinned` where that is its key or its jump host's."""

    reason: str
    hint: str = ""
    not_pinned: NotPinned | None = None


_PIN = "compare its fingerprint and pin it: gonka-state hosts trust"
_LISTENS = "does sshd listen there, and is the host not overloaded?"
_KEY = "is it a private key, and without a passphrase?"

_CHANGED, _MISSING = "does not match", "not found in known_hosts"

# What paramiko and pyinfra say, what it means, what to do, and whether trying again can help.
_MEANINGS = (
    ("Invalid private key", "the SSH key {key} cannot be read", _KEY, False),
    ("passphrase", "the SSH key {key} cannot be read", _KEY, False),
    ("is encrypted", "the SSH key {key} cannot be read", _KEY, False),
    (_CHANGED, "its host key is not the pinned one",
     "if the host was reinstalled: gonka-state hosts trust --replace {host}; if not, do not connect", False),
    (_MISSING, "its host key is not pinned", _PIN, False),
    ("Authentication", "it refuses the key {key} for user {user}", "is the public key in ~{user}/.ssh/authorized_keys?", False),
    ("No existing session", "nothing that speaks SSH answers on {address} port {port}", _LISTENS, True),
    ("protocol banner", "nothing that speaks SSH answers on {address} port {port}", _LISTENS, True),
    ("resolve", "{address} does not resolve", "check the address in the cluster's YAML", False),
    ("gaierror", "{address} does not resolve", "check the address in the cluster's YAML", False),
    ("Administratively prohibited", "its jump host forwards nothing to {address} port {port}",
     "AllowTcpForwarding in the jump host's sshd_config", False),
    ("ChannelException", "no answer from {address} port {port}, asked by its jump host",
     "is the host on, and may its jump host reach that port?", False),
    ("timed out", "no answer from {address} port {port}", "is the host on, and does a firewall drop port {port}?", False),
    ("Unable to connect", "no answer from {address} port {port}", "is the host on, and is sshd listening on port {port}?", True),
    ("Connection refused", "no answer from {address} port {port}", "is the host on, and is sshd listening on port {port}?", True),
    ("No route", "no route to {address}", "is the host on, and on this network?", False),
    ("unreachable", "no route to {address}", "is the host on, and on this network?", False),
)  # fmt: skip


def before_connecting(login: Login) -> Unreachable | None:
    """What is wrong on this machine already: no key file, nothing pinned at all."""
    if not os.path.isfile(login.key):  # noqa: PTH113 (Path raises where it may not look)
        what = "is no file" if os.path.lexists(login.key) else "is not there"
        return Unreachable(f"the SSH key {login.key} {what}", "set ssh.key in the cluster's YAML")
    if not os.access(login.key, os.R_OK):
        return Unreachable(f"the SSH key {login.key} cannot be read", f"whose is it? ls -l {login.key}")
    if not Path(login.known_hosts).is_file():
        reason = f"no host key is pinned: {login.known_hosts} is not there"
        return Unreachable(reason, _PIN, NotPinned(login, changed=False))
    return None


def explain(said: str, login: Login) -> tuple[Unreachable, bool]:
    """What an error means for a host, and whether trying again can help."""
    values = {
        "address": login.address, "port": login.port, "user": login.user, "host": login.host,
        "key": login.key, "known_hosts": login.known_hosts,
    }  # fmt: skip
    for text, reason, hint, again in _MEANINGS:
        if text.lower() in said.lower():
            not_pinned = NotPinned(login, changed=text == _CHANGED) if text in {_CHANGED, _MISSING} else None
            return Unreachable(reason.format(**values), hint.format(**values), not_pinned), again
    return Unreachable(f"SSH to {login.user}@{login.address} failed: {said}"), True


def words(error: BaseException) -> str:
    """An exception in one short line."""
    return f"{type(error).__name__}: {error}"[:200] if str(error) else type(error).__name__
