"""Where a lab keeps its files: state under XDG state, the base system under XDG cache."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.core import xdg
from gonka_state.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.lab.spec import Say

PACKAGE_PARENT = Path(__file__).resolve().parents[2]
STANDINS = Path(__file__).resolve().parent / "standins"


def state_root() -> Path:
    """The directory that holds one directory per lab."""
    return xdg.state_home() / "gonka-state" / "lab"


def inotify_kept() -> Path:
    """Where the machine's own ceiling of inotify instances is kept while labs have raised it."""
    return state_root() / "inotify-instances"


def cache_root() -> Path:
    """The directory that holds built base systems."""
    return xdg.cache_home() / "gonka-state" / "lab"


class LabPaths:
    """The files of one lab."""

    def __init__(self, cluster: str) -> None:
        self.root = state_root() / cluster
        self.record = self.root / "lab.json"
        self.overlay = self.root / "overlay.yaml"
        self.key = self.root / "id_ed25519"
        self.known_hosts = self.root / "known_hosts"
        self.keyring_password = self.root / "keyring-password"
        self.warm_mnemonic = self.root / "warm-key-mnemonic"
        self.hub_control = self.root / "hub.json"
        self.seed_state = self.root / "seed.json"
        self.operator = self.root / "operator"
        self.inferenced = self.root / "inferenced"
        self.registry = self.root / "registry"
        self.git = self.root / "git"
        self.pids = self.root / "pids"
        self.logs = self.root / "logs"

    def host(self, name: str) -> Path:
        """The directory of one host: overlay layers, Docker's data, boot arguments."""
        return self.root / "hosts" / name


def clusters() -> list[str]:
    """The labs that left a directory, running or not."""
    root = state_root()
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []


@contextmanager
def locked(path: Path, who: str, *, waiting: Say | None = None) -> Iterator[None]:
    """Hold `path` as a lock that dies with the process, so a crash leaves none behind.

    With `waiting`, somebody else's end is waited for, and said so.

    Raises:
        LabError: somebody else holds it.
    """
    busy = LabError(f"{who} is at work in another process", hint="wait for it, then try again")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise busy from None
            waiting(f"{busy.message}: waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        # whoever held it before may have removed it: then this is a lock on nothing
        if not path.exists() or os.fstat(handle.fileno()).st_ino != path.stat().st_ino:
            raise busy
        yield
