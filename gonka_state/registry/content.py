"""Kinds of what is fetched from elsewhere: the repository and the models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import model_observed, models, repository
from gonka_state.kind import Kind, Need
from gonka_state.registry.paths import home_in, inside
from gonka_state.registry.programs import client_of, packaged
from gonka_state.resources.model import ModelResource
from gonka_state.resources.repository import RepositoryResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=RepositoryResource,
        fact=repository.FACT,
        observe=repository.observe_repository,
        needs=(Need("directory", inside), Need("package", packaged("git"))),
    ),
    Kind(
        resource=ModelResource,
        fact=models.FACT,
        observe=model_observed.observe_model,
        unmanaged=model_observed.unmanaged_models,
        needs=(
            Need("directory", home_in),
            Need("python-tool", client_of),
            Need("package", packaged("curl")),
        ),
    ),
)
