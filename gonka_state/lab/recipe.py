"""How the base system of the lab's hosts is made from this machine's own release.

Every line of this module counts: the cache is keyed by its text, so a changed recipe makes another base.
"""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab import layer
from gonka_state.lab.machine import codename, mirror
from gonka_state.lab.paths import STANDINS
from gonka_state.lab.shell import SBIN, run

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.lab.spec import Say

PACKAGES = [
    "systemd", "systemd-sysv", "systemd-timesyncd", "dbus", "openssh-server", "ufw", "iptables", "kmod",
    "docker.io", "sudo", "git", "curl", "cron", "ca-certificates", "iproute2", "iputils-ping", "procps",
    "python3", "python3-venv", "busybox-static", "bash",
]  # fmt: skip
# what a release ships apart from docker.io
ALSO = {"trixie": ["docker-cli"]}
MASKED = [
    "apt-daily.timer", "apt-daily-upgrade.timer", "e2scrub_all.timer", "e2scrub_reap.service",
    "console-getty.service", "dpkg-db-backup.timer", "motd-news.timer", "systemd-resolved.service",
    "systemd-networkd.service",
]  # fmt: skip
UNREAD = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info")

SSHD = """\
# a session is a line in the log, so that tests can count them
LogLevel VERBOSE
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
KbdInteractiveAuthentication no
UseDNS no
MaxStartups 100
MaxSessions 100
"""
CGROUPS_UNIT = """\
[Unit]
Description=Make the control groups writable for Docker (cgroup v1 is mounted read-only at boot)
DefaultDependencies=no
After=local-fs.target
Before=containerd.service docker.service docker.socket

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'while read -r _ where kind _; do [ "$kind" != cgroup ] || mount -o remount,rw,bind "$where"; done < /proc/mounts'

[Install]
WantedBy=sysinit.target
"""


def build(part: Path, packages: Path, say: Say) -> None:
    """Make `rootfs/` and `layer.tar.gz` in `part`; downloaded packages are kept in `packages`.

    Raises:
        LabError: the mirror, the package index or a check failed.
    """
    distribution, name = codename()
    address, components = mirror(name)
    rootfs = part / "rootfs"
    packages.mkdir(parents=True, exist_ok=True)
    say(f"building the base system once ({distribution} {name}, two to four minutes)")
    # in namespaces of its own, so that an interrupted debootstrap leaves neither mount nor process
    run([
        "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
        "--", "debootstrap", "--variant=minbase",
        f"--components={','.join(components)}", f"--cache-dir={packages}",
        f"--include={','.join([*PACKAGES, *ALSO.get(name, [])])}", name, rootfs, address,
    ], timeout=1800)  # fmt: skip
    say("adding docker compose and the hf client to the base system")
    _tools(rootfs)
    _configure(rootfs)
    say("cutting the container images' layer from the base system")
    layer.cut(rootfs, part / "layer.tar.gz")


def chroot(rootfs: Path, *argv: str) -> str:
    """Run a program of the base system and return what it printed."""
    clean = ["env", "-i", f"PATH={SBIN}", "HOME=/root", "LC_ALL=C.UTF-8"]
    return run([*clean, "chroot", rootfs, *argv], timeout=300).stdout


def _tools(rootfs: Path) -> None:
    version = chroot(rootfs, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    wheels = rootfs / "wheels"
    wheels.mkdir()
    lock = shutil.copy(STANDINS / "tools.lock", wheels / "tools.lock")
    fetch: list[str | Path] = [
        "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps",
        "--only-binary=:all:", "--python-version", version, "--dest", wheels, "-r", lock,
    ]  # fmt: skip
    own = run([sys.executable, "-m", "pip", "--version"], check=False).returncode == 0
    run([sys.executable if own else "python3", *fetch])
    chroot(rootfs, "python3", "-m", "venv", "/opt/hf")
    install = (
        "install --quiet --no-index --no-deps --require-hashes --find-links /wheels -r /wheels/tools.lock"
    )
    chroot(rootfs, "/opt/hf/bin/python", "-m", "pip", *install.split())
    plugin = rootfs / "usr/libexec/docker/cli-plugins/docker-compose"
    plugin.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(rootfs / "opt/hf/bin/docker-compose", plugin)
    plugin.chmod(0o755)
    (rootfs / "usr/local/bin/hf").symlink_to("/opt/hf/bin/hf")
    shutil.rmtree(wheels)


def _configure(rootfs: Path) -> None:
    for name in UNREAD:
        shutil.rmtree(rootfs / name, ignore_errors=True)
    for archive in (rootfs / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    for key in (rootfs / "etc/ssh").glob("ssh_host_*"):  # each host gets one that known_hosts knows
        key.unlink()
    (rootfs / "etc/ssh/sshd_config.d/lab.conf").write_text(SSHD)
    (rootfs / "etc/resolv.conf").unlink(missing_ok=True)
    (rootfs / "etc/resolv.conf").write_text("")
    units = rootfs / "etc/systemd/system"
    for unit in MASKED:
        link = units / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    (units / "lab-cgroups.service").write_text(CGROUPS_UNIT)
    wants = units / "sysinit.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "lab-cgroups.service").symlink_to("/etc/systemd/system/lab-cgroups.service")
    for program in (STANDINS / "host").iterdir():
        target = rootfs / "usr/bin" / program.name
        shutil.copy(program, target)
        target.chmod(0o755)
    for needed in ("usr/sbin/dockerd", "usr/bin/docker", "usr/sbin/sshd", "usr/sbin/ufw"):
        if not os.access(rootfs / needed, os.X_OK):
            raise LabError(f"the base system came out without {needed}")
