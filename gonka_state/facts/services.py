"""What the containers of a host say about one declared compose service."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Value
from gonka_state.facts import compose
from gonka_state.facts.cards import Cards
from gonka_state.facts.health import ailment
from gonka_state.facts.placement import (
    RUNS,
    containers_of,
    image_id,
    newer_files,
    project_name,
    projects_of,
    rival_of,
    silent,
    taken_by,
    today_of,
    unasked,
    undeclared_files,
    what_misses,
)
from gonka_state.resources.compose_service import NOT_YET, ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.facts.compose import ComposeProject
    from gonka_state.facts.container import Container
    from gonka_state.facts.containers import ContainersState, Service
    from gonka_state.facts.here import Here
    from gonka_state.resources.compose_images import ComposeImagesResource
    from gonka_state.resources.env_file import EnvFileResource
    from gonka_state.resources.file import FileResource
    from gonka_state.resources.repository import RepositoryResource

_SHORT = len("sha256:") + 12
_CARDS = "does docker exec CONTAINER nvidia-smi -L work there? gpus: any leaves them uncounted"


def of_project(mine: ComposeServiceResource, theirs: ComposeImagesResource) -> bool:
    """The images of the service's own project."""
    return mine.directory == theirs.name


def in_checkout(mine: ComposeProject, theirs: RepositoryResource) -> bool:
    """The project's directory is part of the checkout."""
    return PurePosixPath(mine.directory).is_relative_to(theirs.name)


def made_from(mine: ComposeServiceResource, theirs: EnvFileResource | FileResource) -> bool:
    """The service's container is made from this file, or restarts on it."""
    named = {*compose.paths(mine), *(compose.resolved(mine, path) for path in mine.restart_on)}
    return theirs.name in named or theirs.name == compose.resolved(mine, ".env")


def in_project(mine: ComposeServiceResource, theirs: EnvFileResource | FileResource) -> bool:
    """The file lies in the project's directory: a container may mount it."""
    return PurePosixPath(theirs.name).is_relative_to(mine.directory)


def observe_service(state: ContainersState, resource: ComposeServiceResource, here: Here) -> Observation:
    """Running, healthy, made from today's configuration and image."""
    if state.error:
        return silent(state)
    mine = containers_of(state, resource)
    if resource.state == "absent":
        return _left(state, resource, mine)
    trouble = unasked(state, resource) or _unreadable(state, resource)
    if trouble:
        return trouble
    if not mine:
        return Absent(details=_details(state, resource, mine), reason=_why_absent(state, resource))
    container, today = mine[0], today_of(state, resource)
    cards = state.cards.get(container.id, Cards(unknown=f"not asked, it was made in {container.directory}"))
    changed = _changed(state, resource, mine, here)
    uncounted = resource.gpus is not None and cards.unknown and container.status == "running"
    if uncounted and not changed:
        return Unknown(f"the cards in its container cannot be counted: {cards.unknown}", hint=_CARDS)
    sick = ailment(container, state.now, resource.url, state.urls or {})
    attributes: dict[str, Value] = {
        "running": container.status in RUNS,
        "healthy": NOT_YET if sick and container.health != "unhealthy" else not sick,
        "current": not changed,
        "image": _images(state, container, today)[0],
        # A container that is made anew is counted then.
        "gpus": _cards_wanted(state, resource, container) if uncounted else cards.count,
    }
    return Present(
        attributes,
        details=_details(state, resource, mine),
        reason="; ".join(filter(None, [*changed, sick if resource.running else "", cards.error])),
    )


def _left(state: ContainersState, resource: ComposeServiceResource, mine: Sequence[Container]) -> Observation:
    """What is to be removed: its containers, and with the last of its project the project's networks."""
    project = project_name(state, resource)
    empty = not any(item.project == project for item in state.containers)
    networks = state.networks.get(project, []) if empty else []
    if not mine and not networks:
        return Absent()
    details = {"containers": [item.id for item in mine], "project": project}
    return Present({}, details, reason="" if mine else f"networks of project {project} are left")


def wanted_service(state: ContainersState, resource: ComposeServiceResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind is asked alike)
    """The declared attributes and, where the image follows the configuration, today's image.

    A container that does not run is not also reported as not healthy.
    """
    wanted = {name: value for name, value in resource.attributes().items() if value or name == "running"}
    mine = containers_of(state, resource)
    if not mine:
        return wanted
    if not resource.running or mine[0].status not in RUNS:
        wanted.pop("healthy", None)
    today = today_of(state, resource)
    if "current" in wanted and resource.image_follows and today and today.image:
        wanted["image"] = _images(state, mine[0], today)[1]
    wanted.pop("gpus", None)
    cards = _cards_wanted(state, resource, mine[0])
    return wanted if cards is None else wanted | {"gpus": cards}


def _cards_wanted(
    state: ContainersState, resource: ComposeServiceResource, container: Container
) -> int | None:
    """How many cards a running container must see; a card that its host has lost is not its fault."""
    host = state.cards.get("", Cards(unknown="not asked"))
    if resource.gpus is None or container.status != "running" or host.unknown or host.error:
        return None
    return host.count if resource.gpus == "all" else min(resource.gpus, host.count)


def refuse_service(
    state: ContainersState,
    declared: Mapping[Address, ComposeServiceResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> dict[Address, str]:
    """Services whose place is taken by a container that is not ours to remove, or that would run beside another."""
    found: dict[Address, str] = {}
    for address, resource in declared.items():
        rival = rival_of(state, resource) if resource.state == "present" else None
        if rival is None:
            continue
        mine, by_hand = containers_of(state, resource), f"; remove it by hand: docker rm -f {rival.name}"
        if not mine:
            found[address] = f"{taken_by(rival, resource)}{by_hand}"
        elif resource.running and rival.status in RUNS and mine[0].status not in RUNS:
            found[address] = f"{taken_by(rival, resource)}, and runs: two signers would be slashed{by_hand}"
    return found


def _unreadable(state: ContainersState, resource: ComposeServiceResource) -> Unknown | None:
    today = today_of(state, resource)
    if today and not today.hash:
        return Unknown(f"compose gave no hash for {resource.name}", hint="docker compose config --hash '*'")
    if resource.url and state.urls is None:
        return Unknown(
            f"{resource.url[0]} cannot be asked: curl is not installed",
            hint="install curl on this host",
            pending_on="package",
        )
    return None


def _why_absent(state: ContainersState, resource: ComposeServiceResource) -> str:
    rival = rival_of(state, resource)
    if rival:
        return taken_by(rival, resource)
    return what_misses(state, resource)


def _changed(
    state: ContainersState, resource: ComposeServiceResource, mine: Sequence[Container], here: Here
) -> list[str]:
    """Why the container is not what compose would make today."""
    today = today_of(state, resource)
    if today is None:
        return [what_misses(state, resource)]
    found = []
    if mine[0].hash != today.hash:
        found.append("its configuration changed since it was made")
        found += [
            f"it was made also from {path}, which nobody declared"
            for path in undeclared_files(state, mine[0], [resource, *projects_of(here)])
        ]
    if len(mine) > max(today.scale, 1):
        found.append(
            f"{len(mine)} containers where {today.scale} is wanted: {', '.join(c.name for c in mine)}"
        )
    return found + [
        f"{path} is newer than the container's start" for path in newer_files(state, resource, mine[0])
    ]


def _images(state: ContainersState, container: Container, today: Service | None) -> tuple[str, str]:
    """The running image and today's, told apart by id where only the id differs."""
    if today is None or not today.image or today.image != container.image:
        return container.image, today.image if today else ""
    identity = image_id(state, today.image)
    if not identity or identity == container.image_id:
        return container.image, today.image
    return f"{container.image} ({container.image_id[:_SHORT]})", f"{today.image} ({identity[:_SHORT]})"


def _lost_cards(state: ContainersState, resource: ComposeServiceResource, container: Container) -> bool:
    wanted = _cards_wanted(state, resource, container)
    return wanted is not None and wanted != state.cards.get(container.id, Cards()).count


def _details(
    state: ContainersState, resource: ComposeServiceResource, mine: Sequence[Container]
) -> dict[str, Value]:
    """What the operation needs to know: containers, health, and whether compose sees a reason itself."""
    if not mine:
        return {}
    today = today_of(state, resource)
    return {
        "containers": [item.id for item in mine],
        "health": mine[0].health,
        "pin": mine[0].image if today and not resource.image_follows and today.image != mine[0].image else "",
        "recreate": bool(newer_files(state, resource, mine[0])) or _lost_cards(state, resource, mine[0]),
    }
