"""Needs that follow from the programs a kind runs on the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.resources.base import Resource
    from gonka_state.resources.model import ModelResource
    from gonka_state.resources.python_tool import PythonToolResource
    from gonka_state.resources.service import ServiceResource


def packaged(*names: str) -> Callable[[Resource, Resource], bool]:
    """Theirs is one of these packages."""

    def one_of(mine: Resource, theirs: Resource) -> bool:  # noqa: ARG001  (every need's signature)
        return theirs.name in names

    return one_of


def client_of(mine: ModelResource, theirs: PythonToolResource) -> bool:
    """My model is fetched by their program."""
    return mine.client in {theirs.command, theirs.link, theirs.program}


def brings(mine: ServiceResource, theirs: Resource) -> bool:
    """Their package is named after my unit, as far as names tell (`docker` and `docker-ce`)."""
    stem = mine.unit.rpartition(".")[0].partition("@")[0]
    return theirs.name.startswith(stem) or theirs.name.endswith(f"-{stem}")


def reads(mine: ServiceResource, theirs: Resource) -> bool:
    """I read their file when I start."""
    return theirs.name in mine.restart_on


def is_docker(mine: Resource, theirs: Resource) -> bool:  # noqa: ARG001  (every need's signature)
    """I am the Docker engine."""
    return mine.name.partition(".")[0] == "docker"


def docker_unit(mine: Resource, theirs: Resource) -> bool:  # noqa: ARG001  (every need's signature)
    """They are the Docker engine."""
    return theirs.name.partition(".")[0] == "docker"
