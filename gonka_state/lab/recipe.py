"""How the base system of the lab's hosts is made from this machine's own release.

Every line of this module counts: the cache is keyed by its text, so a changed recipe makes another base.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab import layer, packages
from gonka_state.lab.machine import codename, mirror
from gonka_state.lab.paths import STANDINS
from gonka_state.lab.shell import run

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.lab.spec import Say

PACKAGES = [
    "systemd", "systemd-sysv", "systemd-timesyncd", "dbus", "openssh-server", "ufw", "iptables", "kmod",
    "docker.io", "sudo", "cron", "ca-certificates", "iproute2", "iputils-ping", "procps", "python3",
    "perl", "busybox-static", "bash",
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
DPKG = """\
# packages are unpacked as fast as they can be, and without what nobody reads here
force-unsafe-io
path-exclude=/usr/share/doc/*
path-exclude=/usr/share/man/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/info/*
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


def build(part: Path, downloads: Path, say: Say) -> None:
    """Make `rootfs/`, `packages/` and `layer.tar.gz` in `part`; downloads are kept in `downloads`.

    Raises:
        LabError: the mirror, the package index or a check failed.
    """
    distribution, name = codename()
    address, components = mirror(name)
    rootfs = part / "rootfs"
    downloads.mkdir(parents=True, exist_ok=True)
    say(f"building the base system once ({distribution} {name}, two to four minutes)")
    # in namespaces of its own, so that an interrupted debootstrap leaves neither mount nor process
    run([
        "unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--mount-proc",
        "--", "debootstrap", "--variant=minbase",
        f"--components={','.join(components)}", f"--cache-dir={downloads}",
        f"--include={','.join([*PACKAGES, *ALSO.get(name, [])])}", name, rootfs, address,
    ], timeout=1800)  # fmt: skip
    say("filling the package repository and the wheel folder that hosts install from")
    packages.fill(rootfs, part / "packages", downloads)
    curl = packages.fetch(rootfs, ["curl"], downloads)  # containers have it, a bare host does not
    _configure(rootfs)
    say("cutting the container images' layer from the base system")
    whole = packages.with_archives(rootfs, curl, part / "whole")
    layer.cut(whole, part / "layer.tar.gz")
    shutil.rmtree(whole)


def _configure(rootfs: Path) -> None:
    for name in UNREAD:
        shutil.rmtree(rootfs / name, ignore_errors=True)
    for path in (rootfs / "var/lib/apt/lists").glob("*_*"):  # hosts know the lab's repository alone
        path.unlink()
    for archive in (rootfs / "var/cache/apt/archives").glob("*.deb"):
        archive.unlink()
    for key in (rootfs / "etc/ssh").glob("ssh_host_*"):  # each host gets one that known_hosts knows
        key.unlink()
    (rootfs / "etc/ssh/sshd_config.d/lab.conf").write_text(SSHD)
    (rootfs / "etc/dpkg/dpkg.cfg.d/lab").write_text(DPKG)
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
    programs = os.pathsep.join(str(rootfs / name) for name in ("usr/sbin", "usr/bin"))
    for needed in ("dockerd", "docker", "sshd", "ufw"):
        if shutil.which(needed, path=programs) is None:
            raise LabError(f"the base system came out without {needed}")
