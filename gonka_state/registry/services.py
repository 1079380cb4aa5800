"""Kinds of what runs in containers, and of what it is made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import (
    backup_observed,
    containers,
    images,
    keyring_observed,
    membership_observed,
    services,
    strays,
)
from gonka_state.kind import Kind, Need
from gonka_state.registry.programs import docker_unit, packaged
from gonka_state.resources.compose_images import ComposeImagesResource
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=ComposeImagesResource,
        fact=containers.FACT,
        observe=images.observe_images,
        wanted=images.wanted_images,
        needs=(
            Need("repository", services.in_checkout, refresh=True, only=("ref",)),
            Need("directory"),
            Need("file", images.made_from, refresh=True, only=("content",)),
            # the plan fetches images before it writes the configuration
            Need("env-file", images.made_from, refresh=True, only=("variables",), loose=True),
            Need("service", docker_unit),
            Need("docker-daemon"),
        ),
    ),
    Kind(
        resource=ComposeServiceResource,
        fact=containers.FACT,
        observe=services.observe_service,
        wanted=services.wanted_service,
        unmanaged=strays.unmanaged_containers,
        strangers=strays.stranger_services,
        refuse=services.refuse_service,
        needs=(
            Need("repository", services.in_checkout, refresh=True, only=("ref",)),
            Need("compose-images", services.of_project),
            Need("directory"),
            Need("file", services.in_project),
            Need("file", services.made_from, refresh=True, only=("content",)),
            Need("env-file", services.in_project),
            Need("env-file", services.made_from, refresh=True, only=("variables",)),
            Need("package", packaged("curl")),
            Need("service", docker_unit),
            Need("docker-daemon", refresh=True),
            Need("firewall"),
            Need("firewall-rule"),
            Need("container-port"),
            Need("restored-keys", backup_observed.makes_keys),
            Need("warm-key", keyring_observed.runs_on, first=True),
            Need("registration", membership_observed.needs_registered, first=True),
            Need("grants", membership_observed.needs_registered, first=True),
        ),
        side_by_side=True,
    ),
)
