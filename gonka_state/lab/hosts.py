"""One lab host: the files that make it itself, and its power switch."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.lab import cgroups, processes
from gonka_state.lab.network import NETNS, Network
from gonka_state.lab.records import PACKAGES_PORT
from gonka_state.lab.shell import run
from gonka_state.lab.spec import FIRST_HOST, LabSpec, Plan

if TYPE_CHECKING:
    from gonka_state.lab.paths import LabPaths

UID = 1000
REGISTRY_NAMES = ("ghcr.io",)


def write(path: Path, text: str, mode: int = 0o644, owner: int = 0) -> None:
    """Write a file of a host, with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    os.chown(path, owner, owner)


def hosts_file(spec: LabSpec, plan: Plan, own: str) -> str:
    """The /etc/hosts of `own`: without its own name there, every sudo waits for a name server."""
    lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost ip6-loopback"]
    for index, host in enumerate(spec.hosts):
        lines.append(f"{plan.v4(FIRST_HOST + index)} {host.name}")
    lines.append(f"{plan.services} {' '.join(REGISTRY_NAMES)}")
    lines.sort(key=lambda line: own not in line.split())  # the host's own name answers first
    return "\n".join(lines) + "\n"


def daemon_json(plan: Plan) -> str:
    """Docker's configuration: the lab's registry under the real names, and a runtime called nvidia."""
    settings = {
        "insecure-registries": [*REGISTRY_NAMES, plan.services],
        "registry-mirrors": [f"http://{plan.services}"],
        "runtimes": {"nvidia": {"path": "runc"}},
    }
    return json.dumps(settings, indent=2) + "\n"


def sources_list(plan: Plan) -> str:
    """Where a host's apt installs from: the lab's own repository and nothing else."""
    return f"deb [trusted=yes] http://{plan.services}:{PACKAGES_PORT}/apt ./\n"


def prepare(spec: LabSpec, plan: Plan, paths: LabPaths, name: str, base: Path) -> str:
    """Fill the upper layer of a host and return its line for known_hosts."""
    home, upper = paths.host(name), paths.host(name) / "upper"
    for directory in ("upper", "work", "root"):
        (home / directory).mkdir(parents=True)
    # an upper layer's root directory is the host's /: services with other users must get through it
    upper.chmod(0o755)
    write(upper / "etc/hostname", f"{name}\n")
    write(upper / "etc/hosts", hosts_file(spec, plan, name))
    write(upper / "etc/machine-id", hashlib.md5(f"{spec.cluster}/{name}".encode()).hexdigest() + "\n")  # noqa: S324  (a name, not a secret)
    write(upper / "etc/apt/sources.list", sources_list(plan))
    write(upper / "etc/docker/daemon.json", daemon_json(plan))
    write(upper / "etc/gonka-state-lab/host", f"{spec.cluster}/{name}\n")
    write(upper / "etc/gonka-state-lab/gpus", "8\n")
    key = upper / "etc/ssh/ssh_host_ed25519_key"
    key.parent.mkdir(parents=True)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", key])
    _login(spec.user, upper, base, paths.key.with_suffix(".pub").read_text())
    address = plan.v4(FIRST_HOST + [host.name for host in spec.hosts].index(name))
    kind, public = key.with_suffix(".pub").read_text().split()[:2]
    return f"{address},{name} {kind} {public}\n"


def _login(user: str, upper: Path, base: Path, public_key: str) -> None:
    if user == "root":
        write(upper / "root/.ssh/authorized_keys", public_key, 0o600)
        for directory, mode in (("root", 0o700), ("root/.ssh", 0o700)):
            (upper / directory).chmod(mode)
        return
    accounts = {
        "passwd": f"{user}:x:{UID}:{UID}:lab:/home/{user}:/bin/bash",
        "group": f"{user}:x:{UID}:",
        "shadow": f"{user}:*:19700:0:99999:7:::",
        "gshadow": f"{user}:!::",
    }
    for name, line in accounts.items():
        source = base / "etc" / name
        write(upper / "etc" / name, f"{source.read_text()}{line}\n", source.stat().st_mode & 0o777)
        os.chown(upper / "etc" / name, 0, source.stat().st_gid)
    write(upper / "etc/sudoers.d/lab", f"{user} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440)
    home = upper / "home" / user
    write(home / ".ssh/authorized_keys", public_key, 0o600, UID)
    for skeleton in (base / "etc/skel").iterdir():
        shutil.copy(skeleton, home / skeleton.name)
    for path in (home, *home.rglob("*")):
        os.chown(path, UID, UID)
    (home / ".ssh").chmod(0o700)
    (upper / "home").chmod(0o755)


def power_on(spec: LabSpec, network: Network, paths: LabPaths, name: str, base: Path) -> None:
    """Boot a host on the disk it has; returns at once."""
    home = paths.host(name)
    boot = {
        "home": str(home),
        "name": name,
        "base": str(base),
        "namespace": str(NETNS / network.host(name)),
        "groups": [str(path) for path in cgroups.create(spec.cluster, name)],
    }
    write(home / "boot.json", json.dumps(boot))
    supervisor = Path(__file__).with_name("supervisor.py")
    processes.start(
        pid_file(paths, name),
        paths.logs / f"{name}.log",
        ["unshare", "--mount", "--propagation", "private", "--", sys.executable, "-I", supervisor, home],
    )


def power_off(cluster: str, paths: LabPaths, name: str) -> None:
    """Cut a host's power: no process of it gets a chance to say good-bye."""
    cgroups.kill(cluster, name)
    processes.stop(pid_file(paths, name))
    cgroups.kill(cluster, name)  # a supervisor about to reboot the host may have been in between
    cgroups.remove(cluster, name)


def pid_file(paths: LabPaths, name: str) -> Path:
    """Where the process that keeps a host running is remembered."""
    return paths.pids / f"host-{name}"
