"""Needs that follow from where things lie."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonka_state.resources.base import Resource
    from gonka_state.resources.model import ModelResource
    from gonka_state.resources.python_tool import PythonToolResource


def inside(mine: Resource, theirs: Resource) -> bool:
    """My path lies below theirs."""
    return _below(mine.name, theirs.name)


def directory_of(mine: PythonToolResource, theirs: Resource) -> bool:
    """My environment lies below their directory."""
    return _below(mine.path, theirs.name)


def home_in(mine: ModelResource, theirs: Resource) -> bool:
    """My model's store lies in their directory."""
    return PurePosixPath(mine.home).is_relative_to(theirs.name)


def _below(path: str, directory: str) -> bool:
    return PurePosixPath(path) != PurePosixPath(directory) and PurePosixPath(path).is_relative_to(directory)
