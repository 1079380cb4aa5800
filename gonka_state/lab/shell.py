"""Running programs of this machine, with their failure told as the lab's own error."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from gonka_state.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LAST_LINES = 12
SBIN = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run(
    argv: Sequence[str | Path],
    *,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    check: bool = True,
    timeout: float = 900,
) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it said.

    Raises:
        LabError: it is missing, too slow, or (with `check`) ended with another status than 0.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            input=stdin,
            env=environment(env or {}),
            timeout=timeout,
            check=False,
            text=True,
            capture_output=True,
        )
    except FileNotFoundError:
        raise LabError(f"{words[0]} is not installed", hint=f"install it: {package_of(words[0])}") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{words[0]} did not end within {timeout:.0f} s") from None
    if check and done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-LAST_LINES:]
        raise LabError(f"{' '.join(words[:6])} … ended with status {done.returncode}", hint="\n".join(said))
    return done


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with a PATH that finds system programs, and English answers."""
    path = f"{os.environ.get('PATH', '')}:{SBIN}".lstrip(":")
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8", **extra}


PACKAGES = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "iptables": "iptables",
    "ssh-keygen": "openssh-client",
    "docker-registry": "docker-registry",
    "git": "git",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}


def package_of(program: str) -> str:
    """The Debian package that carries a program the lab uses."""
    return f"apt-get install {PACKAGES.get(program, program)}"


def missing_programs() -> list[str]:
    """The programs that this machine lacks for a lab."""
    return [name for name in PACKAGES if not which(name)]


def which(program: str) -> str | None:
    """Where a program is, also when PATH is a user's (without the sbin directories)."""
    return shutil.which(program) or shutil.which(program, path=SBIN)
