"""A line in the crontab of whoever runs this, between two marks, so that it can be found again."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from gonka_state.core.units import DAY, HOUR, MINUTE, show_moment
from gonka_state.errors import GonkaStateError
from gonka_state.schedule.job import DEADLINE

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.schedule.job import Job

BEGIN = "# gonka-state schedule: begin"
END = "# gonka-state schedule: end"
_BLOCK = re.compile(rf"^{BEGIN}\n(.*\n)*?{END}\n", re.MULTILINE)
_NONE = re.compile(r"no crontab for |can't open '[^/']+': No such file or directory")
"""What crontab -l fails with where there is none: Debian's cron, cronie, systemd-cron and dcron; then busybox."""
_KILL = 30
"""Seconds from asking a run that takes too long to end until it is killed."""


def line(job: Job, lock: Path) -> str:
    """The crontab's line: after a pause of chance, never twice at once, and not for ever."""
    when = f"*/{job.minutes} * * * *" if job.minutes else f"0 */{job.hours} * * *"
    when = {MINUTE: "* * * * *", HOUR: "0 * * * *", DAY: "0 0 * * *"}.get(job.every, when)
    wait = f"sleep $(shuf -i 0-{job.jitter} -n 1); " if job.jitter else ""
    late = f"drift did not end within {DEADLINE} s and was ended"
    command = (
        f"{wait}flock -n -E 0 {shlex.quote(str(lock))} timeout -k {_KILL} {DEADLINE} {shlex.join(job.command)}"
        f" || [ $? -ne 124 ] || echo {shlex.quote(late)}"
    )
    # cron itself ends a command at a bare percent sign.
    return f"{when} {command.replace('%', chr(92) + '%')}"


def edited(crontab: str, text: str | None) -> str:
    """A crontab with this line between our marks, or without them for None; all else stays."""
    rest = _BLOCK.sub("", crontab)
    if text is None:
        return rest
    gap = "" if not rest or rest.endswith("\n") else "\n"
    return f"{rest}{gap}{BEGIN}\n{text}\n{END}\n"


def installed(crontab: str) -> str | None:
    """Our line in a crontab; None where there is none."""
    found = _BLOCK.search(crontab)
    return None if found is None else "".join(found[0].splitlines()[1:-1])


def next_run(text: str, now: float) -> str:
    """When the line runs next, in UTC, where minutes are the same everywhere; as said for hours."""
    match = re.match(r"(?:\*/(\d+)|\*) \* ", text)
    if match is None:
        return f"at {' '.join(text.split()[:5])}, in cron's time"
    every = int(match[1] or 1) * MINUTE
    return show_moment((now // every + 1) * every)


def read_crontab() -> str:
    """The crontab of whoever runs this; empty where there is none.

    Raises:
        GonkaStateError: there is no cron on this machine, or it does not show the crontab.
    """
    if shutil.which("crontab") is None:
        raise GonkaStateError("this machine has no crontab command", hint="install cron, or leave out --cron")
    status, crontab, said = _crontab("-l")
    # Whoever takes another failure for an empty crontab writes over one that is there.
    if status == 0 or (_NONE.search(said) and not crontab):
        return crontab
    raise GonkaStateError(
        f"the crontab cannot be read: {said or f'crontab -l ended with status {status}'}",
        hint="look with crontab -l; where there really is none, make an empty one: crontab /dev/null",
    )


def write_crontab(text: str) -> None:
    """Put another crontab in its place.

    Raises:
        GonkaStateError: cron refuses it; the old one is still there.
    """
    status, _, said = _crontab("-", text)
    if status != 0:
        raise GonkaStateError(f"crontab refuses the new line: {said}")


def _crontab(word: str, text: str = "") -> tuple[int, str, str]:
    """The status of crontab, what it printed, and what it complained of, in English.

    Each byte of a crontab stays as it is, whatever its encoding and line ends.
    """
    done = subprocess.run(
        ["crontab", word],
        input=text.encode(errors="surrogateescape"),
        capture_output=True,
        env=os.environ | {"LC_ALL": "C"},
        check=False,
    )
    said = " ".join(done.stderr.decode(errors="replace").split())
    return done.returncode, done.stdout.decode(errors="surrogateescape"), said


def has_cron() -> bool:
    """Whether this machine has crontabs at all."""
    return shutil.which("crontab") is not None
