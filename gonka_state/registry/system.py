"""Kinds of what a host's system has before anything of Gonka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import packages, python_tools
from gonka_state.kind import Kind, Need
from gonka_state.registry.paths import directory_of
from gonka_state.registry.programs import packaged
from gonka_state.resources.package import PackageResource
from gonka_state.resources.python_tool import PythonToolResource

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
)
