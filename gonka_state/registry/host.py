"""Kinds of a host by itself: what it must be, and its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import env_file, files, keyring_observed, requirement_observed, requirements
from gonka_state.kind import Kind, Need
from gonka_state.registry.paths import inside
from gonka_state.resources.directory import DirectoryResource
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.file import FileResource
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=RequirementResource,
        fact=requirements.FACT,
        observe=requirement_observed.observe_requirement,
        wanted=requirement_observed.wanted_requirement,
    ),
    Kind(
        resource=DirectoryResource,
        fact=files.FACT,
        observe=files.observe_directory,
        needs=(Need("directory", inside), Need("repository", inside)),
    ),
    Kind(
        resource=FileResource,
        fact=files.FACT,
        observe=files.observe_file,
        wanted=files.wanted_file,
        needs=(
            Need("directory", inside),
            Need("repository", inside),
            Need("keyring", keyring_observed.holds_password),
        ),
    ),
    Kind(
        resource=EnvFileResource,
        fact=env_file.FACT,
        observe=env_file.observe_env_file,
        wanted=env_file.wanted_env_file,
        unmanaged=env_file.unmanaged_variables,
        needs=(
            Need("directory", inside),
            Need("repository", inside),
            Need("keyring", keyring_observed.holds_password),
        ),
    ),
)
