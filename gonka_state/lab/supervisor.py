"""Keeps one lab host running, alone in a mount namespace of its own: boots it, and again when it reboots.

Started as a script and free of the package, so that six of them stay small. Its mounts exist in its own
namespace only and vanish with it, however it ends.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

REBOOT = 133
STORES = ("docker", "containerd")
"""Where Docker keeps images, as overlays: those cannot lie on the host's root, which is one."""
ENTER = 'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs"; shift; done; shift; exec "$@"'


def nspawn(boot: dict[str, Any]) -> list[str]:
    """The command that boots the host: its control groups first, then nspawn in their place."""
    home = Path(boot["home"])
    binds = [f"--bind={home / name}:/var/lib/{name}" for name in STORES]
    if Path("/lib/modules").is_dir():  # ufw and dockerd ask modprobe for what this kernel may have
        binds.append("--bind-ro=/lib/modules")
    return [
        "sh", "-ec", ENTER, "sh", *boot["groups"], "--",
        "setpriv", "--pdeathsig", "KILL",
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--resolv-conf=off", "--timezone=off",
        "-M", boot["name"], "-D", str(home / "root"), f"--network-namespace-path={boot['namespace']}",
        "--capability=all", "--system-call-filter=@keyring bpf", *binds, "-b",
    ]  # fmt: skip


def main(home: Path) -> int:
    """Mount the host's root, boot it, and boot it again for as long as it asks for that."""
    boot = json.loads((home / "boot.json").read_text())
    in_use = (Path(boot["base"]).parent / "in-use").open("a")
    fcntl.flock(in_use, fcntl.LOCK_SH)  # nobody forgets a base that a host stands on
    for name in STORES:
        (home / name).mkdir(exist_ok=True)
    layers = f"lowerdir={boot['base']},upperdir={home / 'upper'},workdir={home / 'work'}"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, home / "root"], check=True)
    stopping = False
    child: subprocess.Popen[bytes] | None = None

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        if child is not None:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    # ufw and dockerd set network switches, which are this namespace's own
    environment = {**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
    status = REBOOT
    while status == REBOOT and not stopping:
        child = subprocess.Popen(nspawn(boot), env=environment, stdin=subprocess.DEVNULL)
        status = child.wait()
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
