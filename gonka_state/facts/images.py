"""What the look at a host's containers says about the images of one compose project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Value
from gonka_state.facts import compose
from gonka_state.facts.containers import EARLY
from gonka_state.facts.placement import image_id, project_name, unasked

if TYPE_CHECKING:
    from gonka_state.facts.containers import ContainersState, Project
    from gonka_state.facts.here import Here
    from gonka_state.resources.compose_images import ComposeImagesResource
    from gonka_state.resources.env_file import EnvFileResource
    from gonka_state.resources.file import FileResource


def made_from(mine: ComposeImagesResource, theirs: EnvFileResource | FileResource) -> bool:
    """Compose reads the images' names from this file."""
    return theirs.name in compose.paths(mine) or theirs.name == compose.resolved(mine, ".env")


def observe_images(state: ContainersState, resource: ComposeImagesResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """What is missing, of a wrong platform, or would be blank. The registry is not asked."""
    trouble = unasked(state, resource)
    if trouble:
        return trouble
    project = state.projects[compose.project_key(resource)]
    kept = _kept(state, resource)
    early = _early(state, resource)
    project = early or project
    if project.missing:
        return Absent({"kept": kept}, reason=f"{project.missing[0]} is not there")
    wanted = {
        service.image
        for name, service in project.services.items()
        if name in resource.services and name not in kept and service.image
    }
    found = {image: image_id(state, image) for image in sorted(wanted)}
    others = {
        image: state.platforms[identity]
        for image, identity in found.items()
        if state.platforms.get(identity, resource.platform) != resource.platform
    }
    attributes: dict[str, Value] = {
        "missing": [image for image, identity in found.items() if not identity],
        "platform": [f"{image} is {platform}" for image, platform in others.items()] or resource.platform,
        "blank": project.blank,
    }
    blank = f"compose would leave {', '.join(project.blank)} empty: set it in the project's env file"
    note = f"{resource.env_file} is not there yet: only images that need no variable" if early else ""
    return Present(attributes, {"kept": kept}, reason=note, human=blank if project.blank else "")


def wanted_images(
    state: ContainersState,  # noqa: ARG001 (every kind is asked alike)
    resource: ComposeImagesResource,
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> dict[str, Value]:
    """Nothing missing, nothing of another platform, nothing blank."""
    return {"missing": [], "platform": resource.platform, "blank": []}


def _early(state: ContainersState, resource: ComposeImagesResource) -> Project | None:
    """The project as compose names it before its env file is written, the only file that is missing."""
    key = compose.project_key(resource)
    early = state.projects.get(f"{key}{EARLY}")
    only = state.projects[key].missing == [compose.resolved(resource, resource.env_file or "")]
    return early if only and early is not None and early.services else None


def _kept(state: ContainersState, resource: ComposeImagesResource) -> list[str]:
    """The services that go on with the image they have: what the files name today is not run for them."""
    name = project_name(state, resource)
    running = {item.service for item in state.containers if item.project == name and not item.oneoff}
    return [service for service in resource.keeps if service in running]
