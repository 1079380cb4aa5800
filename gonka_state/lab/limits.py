"""The one ceiling of a machine that many hosts meet: every systemd of every host takes inotify instances of root's.

At the kernel's default of 128, about fourteen hosts boot and the next ones hang half way. It is raised while labs are
up and put back with the last of them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.errors import LabError

if TYPE_CHECKING:
    from gonka_state.lab.spec import Say

CEILING = Path("/proc/sys/fs/inotify/max_user_instances")
PER_HOST = 12
"""A booted host has nine; booting takes a few more."""
SPARE = 32
"""What the machine itself may need."""


def make_room(hosts: int, kept: Path, say: Say, ceiling: Path = CEILING) -> None:
    """See to it that `hosts` hosts fit; what the ceiling was is written to `kept`.

    Raises:
        LabError: it is too low and cannot be raised.
    """
    found, needed = int(ceiling.read_text()), hosts * PER_HOST + SPARE
    if found >= needed:
        return
    try:
        ceiling.write_text(f"{needed}\n")
    except OSError as error:
        raise LabError(
            f"{hosts} lab hosts need {needed} inotify instances, and this machine allows {found}: {error.strerror}",
            hint=f"on this machine: sysctl -w fs.inotify.max_user_instances={needed}; or take another lab down",
        ) from error
    if not kept.exists():
        kept.write_text(f"{found}\n")
    say(
        f"{hosts} hosts need more inotify instances: fs.inotify.max_user_instances is {needed} until the last lab is down"
    )


def put_back(kept: Path, ceiling: Path = CEILING) -> None:
    """Set the ceiling to what it was before the first lab that raised it."""
    if kept.exists():
        ceiling.write_text(kept.read_text())
        kept.unlink()
