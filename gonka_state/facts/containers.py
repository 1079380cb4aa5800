"""Every container on a host, and what compose would make of the declared projects today."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError
from gonka_state.facts import compose
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gonka_state.resources.base import Resource


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `started` is seconds since the epoch, 0 when it never ran."""

    id: str
    name: str
    project: str
    service: str
    image: str
    image_id: str
    status: str
    health: str
    exit: int
    restarts: int
    started: float
    policy: str
    hash: str
    oneoff: bool
    directory: str
    ports: tuple[str, ...]


@dataclass(slots=True)
class Service:
    """What compose would make of a service today; `hash` with the running image put back."""

    image: str = ""
    container: str = ""
    scale: int = 1
    hash: str = ""


@dataclass(slots=True)
class Project:
    """One declared project as compose reads it, or why it cannot."""

    name: str = ""
    missing: list[str] = field(default_factory=list)
    error: str = ""
    services: dict[str, Service] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ContainersState:
    """All containers of a host. `error` says why there is no answer; `now` is the host's clock.

    `images` maps REPOSITORY:TAG and REPOSITORY@DIGEST to the image's id; `urls` maps a URL to its HTTP
    status, 0 for no answer, and is None when none could be asked; `modified` is in seconds since the epoch.
    """

    error: str = ""
    now: float = 0.0
    containers: tuple[Container, ...] = ()
    projects: dict[str, Project] = field(default_factory=dict)
    images: dict[str, str] = field(default_factory=dict)
    modified: dict[str, float] = field(default_factory=dict)
    urls: dict[str, int] | None = field(default_factory=dict)


class ContainersFact(Fact[ContainersState]):
    """All containers; and per declared compose project: names, images and config hashes of today.

    As a plain fact it takes a project's `directory=`, and `files=` (comma separated), `env_file=`.
    """

    section = "containers"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """POSIX sh; costs three calls of docker and two of compose per project."""
        services = [item for item in wanted if isinstance(item, ComposeServiceResource)]
        lines = [compose.SHELL, compose.LOOK, "part engine engine; engine 2>/dev/null || exit 0"]
        lines += ['SEEN=$(seen 2>&1); RC=$?; part containers replay; [ "$RC" = 0 ] || exit 0']
        lines += ["part images images"]
        for key, service in {compose.project_key(item): item for item in services}.items():
            where = quote("\n".join(compose.paths(service)), quote(*compose.variable_files(service)))
            lines.append(f"part {quote(f'project {key}')} project {where} {compose.arguments(service)}")
        watched = sorted({compose.resolved(item, path) for item in services for path in item.restart_on})
        lines += [f"part modified stat -L -c '%.9Y %n' -- {quote(*watched)}"] if watched else []
        urls = sorted({item.url for item in services if item.url})
        lines += [f"part urls answers {look.http_timeout} {quote(*urls)}"] if urls else []
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
                modified=_modified(parts),
                urls=_answers(parts),
            )
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
            raise FactError(f"docker's answer cannot be understood: {error}") from error


def _named(parts: Parts, prefix: str) -> Iterable[str]:
    return (name.removeprefix(prefix) for name in parts if name.startswith(prefix))


def parse_container(line: str) -> Container:
    """One line of docker's answer to the look's format.

    Raises:
        ValueError, KeyError, TypeError: it is no such line.
    """
    project, service, image, rest = line.split("\t", 3)
    data = json.loads(rest)
    return Container(
        id=data["id"],
        name=data["name"].removeprefix("/"),
        project=_label(project),
        service=_label(service),
        image=image,
        image_id=data["image_id"],
        status=data["status"],
        health="" if data["health"] == "none" else data["health"],
        exit=int(data["exit"]),
        restarts=int(data["restarts"]),
        started=_moment(data["started"]),
        policy=data["policy"] or "no",
        hash=_label(data["hash"]),
        oneoff=_label(data["oneoff"]) == "True",
        directory=_label(data["directory"]),
        ports=_ports(data["ports"] or {}),
    )


def _label(value: str) -> str:
    """A label that is not there is printed as nothing or as Go's word for it."""
    return "" if value == "<no value>" else value


def _moment(text: str) -> float:
    """Docker's RFC 3339 with nanoseconds; the year 1 means never."""
    return 0.0 if text.startswith("0001-") else datetime.fromisoformat(text).timestamp()


def _ports(bindings: dict[str, list[dict[str, str]] | None]) -> tuple[str, ...]:
    found = {
        f"{bound['HostIp']}:{bound['HostPort']}->{inner}"
        for inner, outer in bindings.items()
        for bound in outer or ()
    }
    return tuple(sorted(found))


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
        found |= {f"{repository}@{digest}": identity} if digest != "<none>" else {}
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
