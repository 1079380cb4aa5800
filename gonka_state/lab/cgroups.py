"""One control group per lab host, in every hierarchy of this machine.

Without one, the hosts' systemds would share unit groups; with one, the group is also the complete list of a
host's processes, which survives the death of whoever started it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from gonka_state.lab.spec import tag

MOUNT = Path("/sys/fs/cgroup")
KILL_SECONDS = 10.0


def hierarchies() -> list[Path]:
    """The roots of the mounted hierarchies: one on cgroup v2, one per controller on v1."""
    if (MOUNT / "cgroup.procs").exists():
        return [MOUNT]
    roots = {path.resolve() for path in MOUNT.iterdir()} if MOUNT.is_dir() else set()
    return sorted(root for root in roots if (root / "cgroup.procs").exists())


def group(cluster: str, host: str = "") -> list[Path]:
    """The directories of a lab's group, or of one of its hosts'."""
    return [root / f"glab-{tag(cluster)}" / host for root in hierarchies()]


def create(cluster: str, host: str) -> list[Path]:
    """Make a host's group everywhere and return its directories."""
    for root, leaf in zip(hierarchies(), group(cluster, host), strict=True):
        leaf.mkdir(parents=True, exist_ok=True)
        for level in (leaf.parent, leaf):
            _inherit(root, level)
    return group(cluster, host)


def _inherit(root: Path, level: Path) -> None:
    """Give a new group what its parent has; v1's cpuset and v2's controllers start out empty."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        source, target = root / name, level / name
        if source.exists() and target.exists() and not target.read_text().strip():
            target.write_text(source.read_text())
    if (root / "cgroup.controllers").exists() and root == MOUNT:
        wanted = " ".join(f"+{name}" for name in (level.parent / "cgroup.controllers").read_text().split())
        with contextlib.suppress(OSError):  # a controller that cannot be handed down is one the host lacks
            (level.parent / "cgroup.subtree_control").write_text(wanted)


def members(cluster: str, host: str = "") -> set[int]:
    """Every process in the group and below it."""
    found: set[int] = set()
    for top in group(cluster, host):
        for directory in _below(top):
            with contextlib.suppress(OSError):
                listing = (directory / "cgroup.procs").read_text()
                found.update(int(word) for word in listing.split() if word != "0")
    return found


def _below(top: Path) -> list[Path]:
    """A group and all below it. One may vanish while it is read: os.walk passes over it, a glob raises."""
    return [Path(directory) for directory, _, _ in os.walk(top)]


def kill(cluster: str, host: str = "") -> None:
    """SIGKILL every process of the group until none is left: a power cut."""
    deadline = time.monotonic() + KILL_SECONDS
    while (pids := members(cluster, host)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def remove(cluster: str, host: str = "") -> None:
    """Delete the emptied group everywhere, deepest first."""
    for top in group(cluster, host):
        for directory in sorted(_below(top), key=lambda path: -len(path.parts)):
            with contextlib.suppress(OSError):
                directory.rmdir()
