"""What a lab writes down about itself, so that any later command finds it again."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from gonka_state.errors import LabError
from gonka_state.lab.paths import LabPaths, clusters
from gonka_state.lab.spec import FIRST_HOST, LabHost, LabInfo, LabSpec, Plan

GIT_PORT, HUB_PORT, PACKAGES_PORT, REGISTRY_PORT, SEED_PORT = 8418, 8480, 8490, 80, 8000
REPOSITORY = "gonka.git"


@dataclass(frozen=True)
class Record:
    """One lab: its spec and addresses, the base it stands on, the commit its repository offers."""

    spec: LabSpec
    plan: Plan
    base: Path
    ref: str = ""

    @property
    def paths(self) -> LabPaths:
        """Its files."""
        return LabPaths(self.spec.cluster)

    @property
    def rootfs(self) -> Path:
        """The lower layer of its hosts."""
        return self.base / "rootfs"

    @property
    def info(self) -> LabInfo:
        """How to use it."""
        addresses = {
            host.name: self.plan.v4(FIRST_HOST + index) for index, host in enumerate(self.spec.hosts)
        }
        return LabInfo(
            cluster=self.spec.cluster,
            overlay=self.paths.overlay,
            hosts=addresses,
            key=self.paths.key,
            known_hosts=self.paths.known_hosts,
            user=self.spec.user,
            hub_url=f"http://{self.plan.services}:{HUB_PORT}",
            git_url=f"http://{self.plan.services}:{GIT_PORT}/{REPOSITORY}",
            git_ref=self.ref,
            packages_url=f"http://{self.plan.services}:{PACKAGES_PORT}",
            hub_control=self.paths.hub_control,
            seed_url=f"http://{self.plan.services}:{SEED_PORT}",
            seed_state=self.paths.seed_state,
            inferenced=self.paths.inferenced,
        )

    def write(self) -> None:
        """Put it down for later commands."""
        value = {**asdict(self.spec), "models": dict(self.spec.models), "subnet": str(self.plan.subnet)}
        private(self.paths.record, json.dumps({**value, "base": str(self.base), "ref": self.ref}))


def read(cluster: str) -> Record | None:
    """The record of a lab; None when there is none, or none that can be believed."""
    try:
        value = json.loads(LabPaths(cluster).record.read_text())
        members = tuple(LabHost(**host) for host in value["hosts"])
        spec = LabSpec(value["cluster"], value["user"], members, value["models"], value["account"])
        return Record(spec, Plan.parse(value["subnet"]), Path(value["base"]), value["ref"])
    except (OSError, ValueError, KeyError, TypeError, LabError):
        return None


def every() -> list[Record]:
    """The records of all labs."""
    return [record for cluster in clusters() if (record := read(cluster))]


def private(path: Path, text: str) -> None:
    """Write a file that nobody else can read, at no moment, and that is there whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as stream:
        stream.write(text)
    part.replace(path)
