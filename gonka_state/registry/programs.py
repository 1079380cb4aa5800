"""Needs that follow from the programs a kind runs on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.resources.base import Resource
    from gonka_state.resources.model import ModelResource
    from gonka_state.resources.python_tool import PythonToolResource


def packaged(*names: str) -> Callable[[Resource, Resource], bool]:
    """Theirs is one of these packages."""

    def one_of(mine: Resource, theirs: Resource) -> bool:  # noqa: ARG001  (every need's signature)
        return theirs.name in names

    return one_of


def client_of(mine: ModelResource, theirs: PythonToolResource) -> bool:
    """My model is fetched by their program."""
    return mine.client in {theirs.command, theirs.link, theirs.program}
