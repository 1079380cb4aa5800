"""Where programs keep files of their own on this machine, by the XDG Base Directory Specification."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from gonka_state.errors import GonkaStateError


def state_home() -> Path:
    """The directory for state that must outlive a run."""
    return _base("XDG_STATE_HOME", ".local/state")


def cache_home() -> Path:
    """The directory for what can be made again."""
    return _base("XDG_CACHE_HOME", ".cache")


def config_home() -> Path:
    """The directory for configuration, also that of the user's own systemd units."""
    return _base("XDG_CONFIG_HOME", ".config")


def _base(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else _home() / fallback


def _home() -> Path:
    # cron and `env -i` set no HOME
    home = os.environ.get("HOME", "")
    if home:
        return Path(home)
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        raise GonkaStateError(
            f"user {os.getuid()} of this machine has no home directory", hint="set HOME"
        ) from None
