"""The words of an OpenSSH client that goes the same way to a host as we do: same key, same pinned host keys, same jumps."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.desired import Login

_OPTIONS = (
    "BatchMode=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
)


def ssh(login: Login, *, timeout: int, further: Sequence[str] = ()) -> list[str]:
    """`ssh` and all its arguments up to the host; `further` are more options. `timeout` in seconds, to connect.

    No ssh_config is read: what is pinned and declared counts, here and in every jump.
    """
    # `-i` would fall back to the user's own keys where the file is not there.
    options = [*_OPTIONS, f"ConnectTimeout={timeout}", f'IdentityFile="{_literal(login.key)}"']
    options.append(f'UserKnownHostsFile="{_literal(login.known_hosts)}"')
    if login.via:
        *before, last = login.via
        target = (
            f"[{login.address}]:{login.port}" if ":" in login.address else f"{login.address}:{login.port}"
        )
        hop = ssh(replace(last, via=tuple(before)), timeout=timeout, further=("-W", target))
        # Once for each client that it passes through.
        options.append(f"ProxyCommand={_literal(shlex.join(hop))}")
    words = [word for option in options for word in ("-o", option)]
    return [
        "ssh", "-F", "/dev/null", *words, "-p", str(login.port), *further,
        f"{login.user}@{login.address}",
    ]  # fmt: skip


def _literal(text: str) -> str:
    """The client replaces `%d` and the like in paths and commands."""
    return text.replace("%", "%%")
