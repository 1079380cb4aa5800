"""Every kind there is: resource, fact and what it needs, joined explicitly. Nothing here can write."""

from __future__ import annotations

from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from gonka_state.facts import (
    container_port,
    containers,
    files,
    firewall,
    firewall_rule,
    firewall_ufw,
    lockout,
    model_observed,
    models,
    node_observed,
    nodes,
    repository,
    requirements,
    services,
)
from gonka_state.kind import Kind, Need
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.directory import DirectoryResource
from gonka_state.resources.file import FileResource
from gonka_state.resources.firewall import ContainerPortResource, FirewallResource, FirewallRuleResource
from gonka_state.resources.model import ModelResource
from gonka_state.resources.node import NodeResource
from gonka_state.resources.repository import RepositoryResource
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.resources.base import Resource


def _inside(mine: Resource, theirs: Resource) -> bool:
    return PurePosixPath(mine.name) != PurePosixPath(theirs.name) and PurePosixPath(mine.name).is_relative_to(
        theirs.name
    )


def _home_in(mine: ModelResource, theirs: Resource) -> bool:
    return PurePosixPath(mine.home).is_relative_to(theirs.name)


_ALL: tuple[Kind[Any, Any], ...] = (
    Kind(
        resource=RequirementResource,
        fact=requirements.FACT,
        observe=requirements.observe_requirement,
        wanted=requirements.wanted_requirement,
    ),
    Kind(
        resource=DirectoryResource,
        fact=files.FACT,
        observe=files.observe_directory,
        needs=(Need("directory", _inside), Need("repository", _inside)),
    ),
    Kind(
        resource=FileResource,
        fact=files.FACT,
        observe=files.observe_file,
        wanted=files.wanted_file,
        needs=(Need("directory", _inside), Need("repository", _inside)),
    ),
    Kind(
        resource=FirewallRuleResource,
        fact=firewall.FACT,
        observe=firewall_rule.observe,
        unmanaged=firewall_rule.unmanaged,
        refuse=lockout.refuse,
    ),
    Kind(
        resource=FirewallResource,
        fact=firewall.FACT,
        observe=firewall_ufw.observe,
        refuse=lockout.refuse,
        needs=(Need("firewall-rule"),),
    ),
    Kind(
        resource=ContainerPortResource,
        fact=firewall.FACT,
        observe=container_port.observe,
        wanted=container_port.wanted,
        unmanaged=container_port.unmanaged,
    ),
    Kind(
        resource=RepositoryResource,
        fact=repository.FACT,
        observe=repository.observe_repository,
        needs=(Need("directory", _inside),),
    ),
    Kind(
        resource=ModelResource,
        fact=models.FACT,
        observe=model_observed.observe_model,
        unmanaged=model_observed.unmanaged_models,
        needs=(Need("directory", _home_in),),
    ),
    Kind(
        resource=ComposeServiceResource,
        fact=containers.FACT,
        observe=services.observe_service,
        wanted=services.wanted_service,
        unmanaged=services.unmanaged_containers,
        refuse=services.refuse_service,
        needs=(
            Need("repository", services.in_checkout),
            Need("directory"),
            Need("file", services.in_project),
            Need("file", services.made_from, refresh=True, only=("content",)),
            Need("firewall"),
            Need("firewall-rule"),
            Need("container-port"),
        ),
        side_by_side=True,
    ),
    Kind(
        resource=NodeResource,
        fact=nodes.FACT,
        observe=node_observed.observe_node,
        unmanaged=node_observed.unmanaged_nodes,
        refuse=node_observed.refuse_nodes,
        needs=(Need("compose-service", node_observed.behind_api),),
    ),
)

KINDS: Mapping[str, Kind[Any, Any]] = MappingProxyType({kind.name: kind for kind in _ALL})
"""Kinds by name, in the order they are shown."""
