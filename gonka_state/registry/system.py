"""Kinds of what a host's system has before anything of Gonka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import (
    authorized_keys,
    binaries,
    docker_daemon,
    file_blocks,
    packages,
    python_tools,
    sysctl,
    units,
)
from gonka_state.kind import Kind, Need
from gonka_state.registry.paths import directory_of, inside
from gonka_state.registry.programs import brings, is_docker, packaged, reads
from gonka_state.resources.authorized_keys import AuthorizedKeysResource
from gonka_state.resources.binary import BinaryResource
from gonka_state.resources.docker_daemon import DockerDaemonResource
from gonka_state.resources.file_block import FileBlockResource
from gonka_state.resources.package import PackageResource
from gonka_state.resources.python_tool import PythonToolResource
from gonka_state.resources.service import ServiceResource
from gonka_state.resources.sysctl import SysctlResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(resource=PackageResource, fact=packages.FACT, observe=packages.observe_package),
    Kind(
        resource=PythonToolResource,
        fact=python_tools.FACT,
        observe=python_tools.observe_tool,
        needs=(Need("package", packaged("python3", "python3-venv")), Need("directory", directory_of)),
    ),
    Kind(
        resource=DockerDaemonResource,
        fact=docker_daemon.FACT,
        observe=docker_daemon.observe_daemon,
        unmanaged=docker_daemon.unmanaged_settings,
        notes=docker_daemon.notes,
        needs=(
            Need("package", packaged("python3", "docker.io", "docker-ce", "moby-engine")),
            # Docker may publish ports again when it starts: who may reach them is settled before.
            Need("container-port"),
        ),
    ),
    Kind(
        resource=ServiceResource,
        fact=units.FACT,
        observe=units.observe_service,
        needs=(
            Need("package", brings),
            Need("docker-daemon", is_docker),
            Need("file", reads, refresh=True, only=("content",)),
        ),
    ),
    Kind(resource=SysctlResource, fact=sysctl.FACT, observe=sysctl.observe_sysctl),
    Kind(
        resource=FileBlockResource,
        fact=file_blocks.FACT,
        observe=file_blocks.observe_block,
        wanted=file_blocks.wanted_block,
        needs=(Need("directory", inside), Need("repository", inside)),
    ),
    Kind(
        resource=AuthorizedKeysResource,
        fact=authorized_keys.FACT,
        observe=authorized_keys.observe_keys,
        wanted=authorized_keys.wanted_keys,
        unmanaged=authorized_keys.unmanaged_keys,
    ),
    Kind(
        resource=BinaryResource,
        fact=binaries.FACT,
        observe=binaries.observe_binary,
        needs=(Need("compose-service"),),
    ),
)
