"""Every container on a host, and what compose would make of the declared projects today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError
from gonka_state.facts import compose
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.facts.cards import Cards, read_cards
from gonka_state.facts.container import Container, parse_container
from gonka_state.resources.compose_images import ComposeImagesResource
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.resources.base import Resource


EARLY = " early"
"""What a project's key ends in where compose was asked without its env file."""


@dataclass(slots=True)
class Service:
    """What compose would make of a service today; `hash` with the running image put back."""

    image: str = ""
    container: str = ""
    scale: int = 1
    hash: str = ""


@dataclass(slots=True)
class Project:
    """One declared project as compose reads it, or why it cannot. `blank` are variables that nobody set."""

    name: str = ""
    blank: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    error: str = ""
    services: dict[str, Service] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContainersState:
    """All containers of a host. `error` says why there is no answer; `now` is the host's clock.

    `images` maps REPOSITORY:TAG and REPOSITORY@DIGEST to the image's id, `platforms` ids to OS/ARCHITECTURE;
    `urls` maps a URL to its HTTP status, 0 for no answer, and is None when none could be asked; `modified`
    is in seconds since the epoch. `cards` maps a container's id to what counting its GPUs gave, and "" to
    the host's own. `networks` are the ids of each project's networks, asked for where a service is to go.
    """

    error: str = ""
    now: float = 0.0
    containers: tuple[Container, ...] = ()
    projects: dict[str, Project] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    platforms: dict[str, str] = field(default_factory=dict)
    modified: dict[str, float] = field(default_factory=dict)
    urls: dict[str, int] | None = field(default_factory=dict)
    cards: dict[str, Cards] = field(default_factory=dict)
    networks: dict[str, list[str]] = field(default_factory=dict)


class ContainersFact(Fact[ContainersState]):
    """All containers; and per declared compose project: names, images and config hashes of today.

    As a plain fact it takes a project's `directory=`, and `files=` (comma separated), `env_file=`.
    """

    section = "containers"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """POSIX sh; costs four calls of docker, two of compose per project, one per container with cards."""
        services = [item for item in wanted if isinstance(item, ComposeServiceResource)]
        projects = [
            item for item in wanted if isinstance(item, ComposeServiceResource | ComposeImagesResource)
        ]
        lines = [compose.SHELL, compose.LOOK, "part engine engine; engine 2>/dev/null || exit 0"]
        lines += ['SEEN=$(seen 2>&1); RC=$?; part containers replay; [ "$RC" = 0 ] || exit 0']
        lines += ["part images images"]
        lines += ["part networks networks"] if any(item.state == "absent" for item in services) else []
        lines += ["part platforms platforms"] if len(projects) > len(services) else []
        for key, project in {compose.project_key(item): item for item in projects}.items():
            where = quote("\n".join(compose.paths(project)), quote(*compose.variable_files(project)))
            lines.append(f"part {quote(f'project {key}')} project {where} {compose.arguments(project)}")
        lines += [_before_its_variables(item) for item in wanted if isinstance(item, ComposeImagesResource)]
        watched = sorted({compose.resolved(item, path) for item in services for path in item.restart_on})
        lines += [f"part modified stat -L -c '%.9Y %n' -- {quote(*watched)}"] if watched else []
        urls = sorted({line for item in services for line in compose.urls(item)})
        lines += [f"part urls answers {look.http_timeout} {quote(*urls)}"] if urls else []
        with_cards = [item for item in services if item.gpus is not None]
        lines += ["part cards cards"] if with_cards else []
        lines += [
            f"part {quote(f'cards {item.name}')} cards_in {quote(item.name, item.directory)}"
            for item in with_cards
        ]
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """The script for one project, or for containers alone."""
        if not arguments:
            return self.script((), Look())
        if "directory" not in arguments or arguments.keys() - {"directory", "files", "env_file", "project"}:
            raise FactError("containers takes directory=, and with it files=, env_file= and project=")
        values: dict[str, Any] = {key: str(value) for key, value in arguments.items()}
        if "files" in values:
            values["files"] = tuple(values["files"].split(","))
        return self.script((ComposeServiceResource(name="any", **values),), Look())

    def parse(self, text: str) -> ContainersState:
        """Understand the section.

        Raises:
            FactError: it was cut short, or a container's line cannot be read.
        """
        parts = split_parts(text)
        for name in ("engine", "containers"):
            if name in parts and parts[name].failed:
                return ContainersState(error=parts[name].failed)
        lines = parts.need("containers").lines
        try:
            return ContainersState(
                now=float(lines[0]),
                containers=tuple(parse_container(line) for line in lines[1:] if line),
                projects={key: _project(key, parts) for key in _named(parts, "project ")},
                images=_images(parts.need("images").lines),
                platforms=_platforms(parts),
                modified=_modified(parts),
                urls=_answers(parts),
                cards=read_cards(parts),
                networks=_networks(parts),
            )
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
            raise FactError(f"docker's answer cannot be understood: {error}") from error


def _before_its_variables(images: ComposeImagesResource) -> str:
    """Asks compose without the env file, only while it is not there."""
    if images.env_file is None:
        return ""
    name = quote(f"project {compose.project_key(images)}{EARLY}")
    arguments = compose.arguments(compose.without_variables(images))
    return f"[ -e {quote(compose.resolved(images, images.env_file))} ] || part {name} early {arguments}"


def _named(parts: Parts, prefix: str) -> Iterable[str]:
    return (name.removeprefix(prefix) for name in parts if name.startswith(prefix))


def _project(key: str, parts: Parts) -> Project:
    part = parts[f"project {key}"]
    project = Project(error=part.failed)
    service = Service()
    for line in part.lines:
        match line.split("\t"):
            case "name", name:
                project.name = name
            case "missing", path:
                project.missing.append(path)
            case "blank", name:
                project.blank.append(name)
            case "service", name:
                service = project.services.setdefault(name, Service())
            case "image", image:
                service.image = image
            case "container", name:
                service.container = name
            case "scale", count:
                service.scale = int(count)
            case "hash", name, value if name in project.services:
                project.services[name].hash = value
    return project


def _images(lines: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        repository, tag, digest, identity = line.split("\t")
        found |= {f"{repository}:{tag}": identity} if tag != "<none>" else {}
        # Where containerd keeps the images an id is a digest, also of one that Docker tells none of.
        found |= {f"{repository}@{digest if digest != '<none>' else identity}": identity}
    return found


def _platforms(parts: Parts) -> dict[str, str]:
    """What was printed counts: an image that goes away in between fails docker as a whole."""
    lines = parts["platforms"].lines if "platforms" in parts else []
    found = dict(line.split("\t", 1) for line in lines if line)
    return {identity: platform for identity, platform in found.items() if platform != compose.UNTOLD}


def _networks(parts: Parts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in parts.need("networks").lines if "networks" in parts else []:
        identity, project = line.split("\t")
        found.setdefault(project, []).append(identity)
    return found


def _modified(parts: Parts) -> dict[str, float]:
    lines = parts["modified"].lines if "modified" in parts else []
    return {path: float(when) for when, path in (line.split(" ", 1) for line in lines)}


def _answers(parts: Parts) -> dict[str, int] | None:
    part = parts.get("urls")
    if part is not None and part.failed:
        return None
    return {url: int(code) for code, url in (line.split(" ", 1) for line in (part.lines if part else ()))}


FACT = ContainersFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Containers", FACT, name)
