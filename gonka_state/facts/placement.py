"""Which containers and which part of compose's answer belong to one declared service."""

from __future__ import annotations

import re
from os.path import normpath, relpath
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gonka_state.core.observation import Unknown, not_looked_at
from gonka_state.facts import compose
from gonka_state.resources.compose_images import ComposeImagesResource
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonka_state.facts.compose import ComposeProject
    from gonka_state.facts.container import Container
    from gonka_state.facts.containers import ContainersState, Project, Service
    from gonka_state.facts.here import Here


RUNS = frozenset({"running", "restarting"})
"""Between two restarts of a loop a container is as much running as not: its health tells."""


def silent(state: ContainersState) -> Unknown:
    """Docker gave no answer at all."""
    hint = "docker ps on this host says more"
    if "not installed" in state.error:
        hint = "install Docker and its compose plugin on this host"
    elif "stopped" in state.error or "Cannot connect" in state.error:
        hint = "systemctl start docker"
    return Unknown(state.error, hint=hint)


def unasked(state: ContainersState, resource: ComposeProject) -> Unknown | None:
    """Why nothing is known about a project; None where compose read it, or its files are not there yet."""
    if state.error:
        return silent(state)
    project = project_of(state, resource)
    if project is None:
        return not_looked_at(resource.directory)
    if project.error:
        said = f"compose cannot read {', '.join(resource.files)} in {resource.directory}: {project.error}"
        missing = "not installed" in project.error
        return Unknown(said, hint="install Docker's compose plugin" if missing else "correct the file")
    return None


def project_of(state: ContainersState, resource: ComposeProject) -> Project | None:
    """The declared project as compose read it; None when the look did not ask."""
    return state.projects.get(compose.project_key(resource))


def today_of(state: ContainersState, resource: ComposeServiceResource) -> Service | None:
    """The service as today's compose files have it."""
    project = project_of(state, resource)
    return project.services.get(resource.name) if project else None


def project_name(state: ContainersState, resource: ComposeProject) -> str:
    """As compose says, else as it would make one from the directory."""
    project = project_of(state, resource)
    if project and project.name:
        return project.name
    made = re.sub(r"[^-_a-z0-9]", "", PurePosixPath(resource.directory).name.lower()).lstrip("-_")
    return resource.project or made


def containers_of(state: ContainersState, resource: ComposeServiceResource) -> list[Container]:
    """The service's containers, the youngest first."""
    name = project_name(state, resource)
    found = [
        item
        for item in state.containers
        if item.project == name and item.service == resource.name and not item.oneoff
    ]
    return sorted(found, key=lambda item: item.started, reverse=True)


def what_misses(state: ContainersState, resource: ComposeServiceResource) -> str:
    """Why compose could not make this service today; empty when it could."""
    project = project_of(state, resource)
    if project and project.missing:
        return f"{project.missing[0]} is not there"
    if project and resource.name not in project.services:
        return f"today's compose files have no service {resource.name}: {', '.join(sorted(project.services))}"
    return ""


def newer_files(state: ContainersState, resource: ComposeServiceResource, container: Container) -> list[str]:
    """The files of `restart_on` that changed after a running container's start."""
    if container.status != "running":
        return []
    watched = (compose.resolved(resource, path) for path in resource.restart_on)
    return [path for path in watched if state.modified.get(path, 0.0) > container.started]


def projects_of(here: Here) -> list[ComposeServiceResource | ComposeImagesResource]:
    """Everything declared on this host that names compose files."""
    kinds = ComposeServiceResource | ComposeImagesResource
    return [item for item in here.declared if isinstance(item, kinds)]


def undeclared_files(
    state: ContainersState, container: Container, projects: Iterable[ComposeProject]
) -> list[str]:
    """The compose files that a container of a declared project was made from, and that no project of this name has.

    A project that was moved since, or that is reached by another path, has the same files as before.
    """
    own = [project for project in projects if project_name(state, project) == container.project]
    known = {normpath(compose.resolved(project, path)) for project in own for path in project.files}
    found = []
    for name in container.files if own else ():
        path = normpath(f"{container.directory}/{name}" if name[0] != "/" else name)
        inner = relpath(path, container.directory or "/")
        places = {path, *(normpath(compose.resolved(project, inner)) for project in own)}
        # What compose read from standard input is the image that we had it keep.
        if name != "-" and not places & known:
            found.append(path)
    return found


def image_id(state: ContainersState, reference: str) -> str:
    """The id of an image on the host; empty when it is not there."""
    name, _, digest = reference.removeprefix("docker.io/").removeprefix("library/").partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, "latest"
    return state.images.get(f"{repository}@{digest}" if digest else f"{repository}:{tag}", "")


def rival_of(state: ContainersState, resource: ComposeServiceResource) -> Container | None:
    """A container in this service's place, first one that runs: of its container_name, or of an older project name."""
    today, name = today_of(state, resource), project_name(state, resource)
    for item in sorted(state.containers, key=lambda item: item.status not in RUNS):
        if item.project == name and item.service == resource.name:
            continue
        same_place = (
            item.service == resource.name and item.directory == resource.directory and not item.oneoff
        )
        if same_place or (today and today.container and item.name == today.container):
            return item
    return None


def taken_by(rival: Container, resource: ComposeServiceResource) -> str:
    """Whose container is in the way, in words."""
    if rival.service == resource.name and rival.directory == resource.directory:
        return f"container {rival.name} is left over from this directory's older project name {rival.project}"
    owner = f"project {rival.project}" if rival.project else "no project"
    return f"the name {rival.name} is taken by a container of {owner} (image {rival.image})"
