"""Containers of no declared service: told, and where `prune` says so services that shall be absent.

Also the compose files that containers were made from and nobody declared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.observation import Unmanaged
from gonka_state.facts.placement import containers_of, projects_of, undeclared_files
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.container import Container
    from gonka_state.facts.containers import ContainersState
    from gonka_state.facts.here import Here


def unmanaged_containers(
    state: ContainersState, declared: Sequence[ComposeServiceResource], here: Here
) -> list[Unmanaged]:
    """Containers of no declared service, and undeclared compose files of declared projects' containers."""
    made: dict[str, list[str]] = {}
    for container in state.containers:
        if not container.oneoff:
            for path in undeclared_files(state, container, projects_of(here)):
                made.setdefault(path, []).append(container.name)
    strays = {container.name: _describe(container) for container in _strays(state, declared)}
    files = {path: f"a compose file that was used to make {', '.join(made[path])}" for path in made}
    return [
        Unmanaged(here.host, "compose-service", name, detail) for name, detail in {**strays, **files}.items()
    ]


def stranger_services(
    state: ContainersState,
    declared: Sequence[ComposeServiceResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> list[ComposeServiceResource]:
    """The services of those containers, whatever project of compose's they are of.

    A container of no project is no service, and neither is one whose service has the name of a declared one.
    """
    names = {resource.name for resource in declared}
    found: dict[str, ComposeServiceResource] = {}
    for container in _strays(state, declared):
        if (
            container.project
            and container.service
            and not container.oneoff
            and container.service not in names
        ):
            gone = ComposeServiceResource(
                name=container.service,
                directory=container.directory,
                project=container.project,
                state="absent",
            )
            found.setdefault(gone.name, gone)
    return list(found.values())


def _strays(state: ContainersState, declared: Sequence[ComposeServiceResource]) -> list[Container]:
    ours = {container.id for resource in declared for container in containers_of(state, resource)}
    return [container for container in state.containers if container.id not in ours]


def _describe(container: Container) -> str:
    owner = f"of project {container.project}" if container.project else "of no project"
    ports = f", ports {', '.join(container.ports)}" if container.ports else ""
    return f"stray container {owner}, {container.status}, image {container.image}{ports}"
