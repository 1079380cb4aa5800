"""Which operation closes a gap of which kind. Imported by what writes alone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gonka_state.operations import (
    authorized_keys,
    backup,
    chain_sync,
    compose_images,
    compose_restart,
    compose_service,
    container_port,
    directory,
    docker_daemon,
    env_file,
    file,
    file_block,
    firewall,
    firewall_rule,
    model,
    node,
    package,
    python_tool,
    registration,
    repository,
    restored_keys,
    service,
    setup_report,
    sysctl,
    warm_key,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.operations.base import Operation

OPERATIONS: Mapping[str, Operation[Any]] = MappingProxyType(
    {
        "authorized-keys": authorized_keys.apply,
        "backup": backup.apply,
        "chain-sync": chain_sync.apply,
        "compose-images": compose_images.apply,
        "compose-service": compose_service.apply,
        "container-port": container_port.apply,
        "directory": directory.apply,
        "docker-daemon": docker_daemon.apply,
        "env-file": env_file.apply,
        "file": file.apply,
        "file-block": file_block.apply,
        "firewall": firewall.apply,
        "firewall-rule": firewall_rule.apply,
        "model": model.apply,
        "node": node.apply,
        "package": package.apply,
        "python-tool": python_tool.apply,
        "registration": registration.apply,
        "repository": repository.apply,
        "restored-keys": restored_keys.apply,
        "service": service.apply,
        "setup-report": setup_report.apply,
        "sysctl": sysctl.apply,
        "warm-key": warm_key.apply,
    }
)
"""Operations by kind. A kind without one (requirement) is closed by a human."""

RESTARTS: Mapping[str, Operation[Any]] = MappingProxyType({"compose-service": compose_restart.apply})
"""What `restart` does instead."""
