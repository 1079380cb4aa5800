"""One container, as a line of `docker inspect` tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `started` is seconds since the epoch, 0 when it never ran; `files` are what compose made it from."""

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
    files: tuple[str, ...] = ()


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
        started=moment(data["started"]),
        policy=data["policy"] or "no",
        hash=_label(data["hash"]),
        oneoff=_label(data["oneoff"]) == "True",
        directory=_label(data["directory"]),
        ports=_ports(data["ports"] or {}),
        # a look that was saved before this was asked has none
        files=tuple(filter(None, _label(data.get("files", "")).split(","))),
    )


def _label(value: str) -> str:
    """A label that is not there is printed as nothing or as Go's word for it."""
    return "" if value == "<no value>" else value


def moment(text: str) -> float:
    """Docker's RFC 3339 with nanoseconds; the year 1 means never."""
    return 0.0 if text.startswith("0001-") else datetime.fromisoformat(text).timestamp()


def _ports(bindings: dict[str, list[dict[str, str]] | None]) -> tuple[str, ...]:
    found = {
        f"{bound['HostIp']}:{bound['HostPort']}->{inner}"
        for inner, outer in bindings.items()
        for bound in outer or ()
    }
    return tuple(sorted(found))
