"""What the commands for one host share: which host is meant, and OpenSSH's client on the way to it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from gonka_state.core.ssh_client import ssh
from gonka_state.engine.select import full_name
from gonka_state.errors import GonkaStateError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.desired import Desired, Login
    from gonka_state.resources.base import Resource

NO_WAY = 255
"""OpenSSH's status where it did not get there."""
_ROOT = 'if [ "$(id -u)" = 0 ]; then exec sh -s; else exec sudo -n sh -s; fi'


def find(clusters: Sequence[Desired[Resource]], host: str) -> tuple[Desired[Resource], Login]:
    """The one host that is meant, by its whole name or without its cluster's prefix.

    Raises:
        InputError: there is none, or in each of several clusters one.
    """
    found = [
        (desired, desired.hosts[name])
        for desired in clusters
        if (name := full_name(desired, host)) in desired.hosts
    ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(login.host for _, login in found)
        raise InputError([f"{host} is the name of several hosts: {names}"])
    names = ", ".join(name for desired in clusters for name in desired.hosts)
    raise InputError([f"{host}: no such host"], hint=f"hosts are: {names}")


def words(desired: Desired[Resource], login: Login, *further: str) -> list[str]:
    """OpenSSH's client on the way to a host."""
    return ssh(login, timeout=desired.run.timeouts.connect, further=further)


def as_root(desired: Desired[Resource], login: Login, script: str) -> int:
    """Run POSIX sh on a host as root; what it prints goes where our own output goes. Returns its status.

    Raises:
        GonkaStateError: there is no client here, or it does not get there; it has said why.
    """
    try:
        status = subprocess.run(
            [*words(desired, login), _ROOT], input=script, text=True, check=False
        ).returncode
    except FileNotFoundError as error:
        raise missing() from error
    if status == NO_WAY:
        raise unreachable(login)
    return status


def missing() -> GonkaStateError:
    """There is no client on this machine."""
    return GonkaStateError("there is no ssh on this machine", hint="apt-get install openssh-client")


def unreachable(login: Login) -> GonkaStateError:
    """The client did not get there, and has said why on standard error."""
    return GonkaStateError(
        f"{login.host} ({login.user}@{login.address}, port {login.port}) cannot be reached: ssh says why above",
        hint="the checks of the way there: gonka-state hosts check",
    )
