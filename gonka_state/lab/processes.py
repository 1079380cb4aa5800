"""Processes that the lab starts and leaves running, remembered so that only they are ever ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab.shell import environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

POLL_SECONDS = 0.05


def start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty when there is none (or a zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]


def start(pid_file: Path, log: Path, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
    """Start a detached process and remember it by pid and start time.

    Raises:
        LabError: the program is not there.
    """
    for path in (pid_file, log):
        path.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        try:
            child = subprocess.Popen(
                [str(word) for word in argv],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=environment(env or {}), start_new_session=True,
                cwd="/", close_fds=True,
            )  # fmt: skip
        except FileNotFoundError as error:
            raise LabError(f"{argv[0]} is not installed") from error
    # a process number alone may belong to somebody else after a while
    pid_file.write_text(f"{child.pid} {start_time(child.pid)}\n")
    child.returncode = 0  # it is meant to outlive us: no warning when the handle is dropped
    return child.pid


def remembered(pid_file: Path) -> int | None:
    """The process a pid file names, if it is still the same one and alive."""
    try:
        words = pid_file.read_text().split()
        pid, started = int(words[0]), words[1]
    except (OSError, ValueError, IndexError):
        return None
    return pid if started and start_time(pid) == started else None


def stop(pid_file: Path, patience: float = 10.0) -> None:
    """End a remembered process: politely first, surely at last; forget it then."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        pid = remembered(pid_file)
        if pid is None:
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while remembered(pid_file) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    with contextlib.suppress(OSError, ValueError, IndexError):
        reap(int(pid_file.read_text().split()[0]))
    pid_file.unlink(missing_ok=True)


def reap(pid: int) -> None:
    """Collect an ended child of ours; somebody else's child is left alone."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def end(pid: int) -> None:
    """SIGKILL one process that is known to be the lab's."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
