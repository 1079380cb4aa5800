"""A systemd timer and its service: system units for root, else units of the user's own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.core import xdg
from gonka_state.errors import GonkaStateError, said_by
from gonka_state.schedule.job import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.schedule.job import Job

NAME = "gonka-state-drift"
TIMER = f"{NAME}.timer"

_SERVICE = """\
# Written by gonka-state schedule install; gonka-state schedule remove takes it away.
[Unit]
Description=Look for drift of Gonka clusters
{after}
[Service]
Type=oneshot
ExecStart={command}
TimeoutStartSec={deadline}
# 2 says that something differs, 3 that something is unknown: the check itself did its work.
SuccessExitStatus=2 3
"""
_TIMER = """\
# Written by gonka-state schedule install; gonka-state schedule remove takes it away.
[Unit]
Description=Look for drift of Gonka clusters now and then

[Timer]
OnCalendar={calendar}
RandomizedDelaySec={jitter}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
_NETWORK = "Wants=network-online.target\nAfter=network-online.target\n"


def directory() -> Path:
    """Where units of whoever runs this belong."""
    return Path("/etc/systemd/system") if _system() else xdg.config_home() / "systemd" / "user"


def units(job: Job, *, system: bool) -> dict[str, str]:
    """The texts of the units by file name. A service that still runs is not started a second time."""
    calendar = f"*:0/{job.minutes}" if job.minutes else f"0/{job.hours}:00"
    if job.hours == 24:  # noqa: PLR2004 (hours of a day)
        calendar = "daily"
    service = _SERVICE.format(
        after=_NETWORK if system else "", command=" ".join(map(_quoted, job.command)), deadline=DEADLINE
    )
    return {f"{NAME}.service": service, TIMER: _TIMER.format(calendar=calendar, jitter=job.jitter)}


def install(job: Job, where: Path, call: Callable[..., str]) -> None:
    """Write the units and start the timer. `call` gives systemctl's arguments to it.

    Raises:
        GonkaStateError: they cannot be written, or systemd refuses; then nothing of them stays.
    """
    call("daemon-reload")  # where there is no systemd, nothing is written
    try:
        where.mkdir(parents=True, exist_ok=True)
        for name, text in units(job, system=_system()).items():
            (where / name).write_text(text, encoding="utf-8")
        call("daemon-reload")
        call("enable", "--now", TIMER)
    except OSError as error:
        _unlink(where)
        raise GonkaStateError(f"units cannot be written to {where}: {said_by(error)}") from error
    except GonkaStateError:
        _unlink(where)
        raise


def remove(where: Path, call: Callable[..., str]) -> bool:
    """Stop the timer and take the units away; false where there are none."""
    if not (where / TIMER).exists():
        return False
    call("disable", "--now", TIMER)
    _unlink(where)
    call("daemon-reload")
    return True


def status(where: Path, call: Callable[..., str]) -> dict[str, str] | None:
    """What is installed and when it runs, as systemd says it; None where there is nothing."""
    try:
        text = (where / f"{NAME}.service").read_text(encoding="utf-8")
    except OSError:
        return None
    said = _properties(
        call("show", TIMER, "-p", "ActiveState", "-p", "LastTriggerUSec", "-p", "NextElapseUSecRealtime")
    )
    command = re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)
    return {
        "by": f"systemd timer {where / TIMER}",
        "runs": command[1] if command else "",
        "state": said.get("ActiveState", ""),
        "last": said.get("LastTriggerUSec", "").replace("n/a", "") or "never",
        "next": said.get("NextElapseUSecRealtime", ""),
    }


def systemctl(*words: str) -> str:
    """Give systemd an order, as root that of the system, else the user's own; what it answers.

    Raises:
        GonkaStateError: it refuses, or this machine does not run it.
    """
    if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
        raise GonkaStateError("this machine does not run systemd", hint="gonka-state schedule install --cron")
    command = ["systemctl", *([] if _system() else ["--user"]), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = " ".join(done.stderr.split()) or f"it ended with status {done.returncode}"
        raise GonkaStateError(f"{' '.join(command)}: {said}")
    return done.stdout


def _system() -> bool:
    return os.geteuid() == 0


def _quoted(word: str) -> str:
    """A word of ExecStart: `%` and `$` mean something there, also inside quotes."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w@+=:,./%$-]+", escaped, re.ASCII) else f'"{escaped}"'


def _properties(text: str) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value for name, _, value in pairs}


def _unlink(where: Path) -> None:
    for name in (TIMER, f"{NAME}.service"):
        (where / name).unlink(missing_ok=True)
