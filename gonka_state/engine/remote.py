"""The shell line that carries a script to a host: on stdin, as root where sudo allows."""

from __future__ import annotations

import shlex

# The SSH client's address is asked for before sudo, which clears the environment.
_BECOME_ROOT = (
    'p="${{SSH_CONNECTION%% *}}"; '
    'if [ "$(id -u)" = 0 ]; then env GONKA_STATE_PEER="$p" sh -c {inner}; '
    'elif sudo -n true 2>/dev/null; then sudo -n env GONKA_STATE_PEER="$p" sh -c {inner}; '
    "else {otherwise}; fi"
)
_LOOK = 'eval "$(head -c {size})"'


def look_command(size: int) -> str:
    """Run a look's script of `size` bytes from stdin; without sudo it runs as the login user."""
    line = _LOOK.format(size=size)
    return as_root(line, otherwise=f'GONKA_STATE_PEER="$p" sh -c {shlex.quote(line)}')


def as_root(line: str, *, otherwise: str) -> str:
    """Run `line` as root; where sudo asks for a password, run `otherwise` instead."""
    return _BECOME_ROOT.format(inner=shlex.quote(line), otherwise=otherwise)
