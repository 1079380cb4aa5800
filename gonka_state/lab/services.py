"""What the hosts find on the bridge's own address: registry, repository, hub, packages and a seed node."""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab import processes, registry, repository
from gonka_state.lab.network import Network, inside
from gonka_state.lab.paths import PACKAGE_PARENT, LabPaths
from gonka_state.lab.records import (
    GIT_PORT,
    HUB_PORT,
    PACKAGES_PORT,
    REGISTRY_PORT,
    REPOSITORY,
    SEED_PORT,
)
from gonka_state.lab.shell import which

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.lab.spec import LabSpec

SSH_PORT = 22
PORTS = {
    "registry": REGISTRY_PORT,
    "git": GIT_PORT,
    "hub": HUB_PORT,
    "packages": PACKAGES_PORT,
    "seed": SEED_PORT,
}
NAMES = tuple(PORTS)
PATIENCE = 20.0


def start(spec: LabSpec, network: Network, paths: LabPaths, base: Path) -> str:
    """Start all of them, fill them, and return the commit of the repository to use.

    Raises:
        LabError: one of them does not answer.
    """
    address = network.plan.services
    ref = repository.publish(paths.git / REPOSITORY)
    paths.hub_control.write_text(
        json.dumps({"models": dict(spec.models), "bytes_per_second": 0, "fail": ""}) + "\n"
    )
    configuration = paths.root / "registry.yml"
    configuration.write_text(registry.configuration(paths.registry, address))
    hub = [sys.executable, "-P", "-m", "gonka_state.lab.standins.hub"]
    commands: dict[str, list[str | Path]] = {
        "registry": [which("docker-registry") or "docker-registry", "serve", configuration],
        "git": _files(address, GIT_PORT, paths.git),
        "hub": [*hub, "--address", address, "--control", paths.hub_control],
        "packages": _files(address, PACKAGES_PORT, base / "packages"),
        "seed": [sys.executable, "-P", "-m", "gonka_state.lab.standins.seed", "--state", paths.seed_state],
    }
    for name in NAMES:
        command = [*inside(network.bridge), *commands[name]]
        log = paths.logs / f"{name}.log"
        processes.start(pid_file(paths, name), log, command, {"PYTHONPATH": str(PACKAGE_PARENT)})
    for name, port in PORTS.items():
        if not answers(address, port, PATIENCE):
            said = (paths.logs / f"{name}.log").read_text().strip().splitlines()[-5:]
            raise LabError(f"the lab's {name} does not answer on {address}:{port}", hint="\n".join(said))
    registry.fill(address, base / "layer.tar.gz")
    return ref


def _files(address: str, port: int, directory: Path) -> list[str | Path]:
    """The command that serves a directory over HTTP."""
    serve = [sys.executable, "-I", "-m", "http.server", "--bind", address]
    return [*serve, "--directory", directory, str(port)]


def stop(paths: LabPaths) -> None:
    """End all of them."""
    for name in NAMES:
        processes.stop(pid_file(paths, name))


def pid_file(paths: LabPaths, name: str) -> Path:
    """Where a service is remembered."""
    return paths.pids / f"service-{name}"


def answers(address: str, port: int, patience: float = 0) -> bool:
    """Whether a TCP connection can be made, now or within `patience` seconds."""
    deadline = time.monotonic() + patience
    while True:
        try:
            with socket.create_connection((address, port), timeout=1):
                return True
        except OSError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.1)
