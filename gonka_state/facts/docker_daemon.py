"""Docker's daemon.json: the declared settings alone leave the host, other ones are named."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from gonka_state.core.observation import Note, Observation, Present, Unmanaged, Value
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.docker_daemon import RELOADED, DockerDaemonResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

FILE = "/etc/docker/daemon.json"
PENDING = f"{FILE}.gonka-state-pending"
"""There while Docker has not read what a step of ours wrote."""

# Arguments: the file, and the declared keys as JSON with null for every value that is no map.
_READ = """
import json, sys
file, shape = sys.argv[1], json.loads(sys.argv[2])
def kept(value, shape):
    if not isinstance(value, dict) or not isinstance(shape, dict):
        return value
    return {key: kept(value[key], below) for key, below in shape.items() if key in value}
try:
    text = open(file, encoding="utf-8").read()
    data = json.loads(text) if text.strip() else {}
except FileNotFoundError:
    data = {}
except ValueError as error:
    where = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
    sys.exit(f"{file}{where}: {getattr(error, 'msg', 'is no UTF-8')}")
if not isinstance(data, dict):
    sys.exit(f"{file}: is no JSON object")
print(json.dumps({"settings": kept(data, shape), "others": sorted(data.keys() - shape.keys()),
                  "live_restore": data.get("live-restore") is True}))
"""

LOGS = "logs"
"""The note that names containers whose log has no limit."""

# Docker gives a container the log settings of the moment it is made in, and never takes them back.
_LOGS = r"""
logs_of_containers() {
  command -v docker >/dev/null && ids=$(docker ps -aq --no-trunc) || return 0
  [ -z "$ids" ] || docker inspect -f '{{.Name}} {{.HostConfig.LogConfig.Type}} {{index .HostConfig.LogConfig.Config "max-size"}}' $ids
}
"""

DEFAULTS: Mapping[str, Value] = {
    "iptables": True, "ip-forward": True, "ip-masq": True, "icc": True, "userland-proxy": True,
    "live-restore": False, "debug": False, "selinux-enabled": False, "experimental": False,
    "log-driver": "json-file",
}  # fmt: skip
"""What Docker does where its file says nothing; the same in all versions since 20.10."""


@dataclass(frozen=True, slots=True)
class DaemonState:
    """The declared part of the file, the names of other settings, and whether Docker has still to read it.

    `unlimited` are containers whose log grows without an end.
    """

    settings: Mapping[str, Value] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    live_restore: bool = False
    pending: bool = False
    unlimited: tuple[str, ...] = ()


class DockerDaemonFact(Fact[DaemonState]):
    """The declared settings; `setting=` when used alone."""

    section: ClassVar[str] = "docker-daemon"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """Read the file with the host's Python, which filters it."""
        wishes = [resource.settings for resource in wanted if isinstance(resource, DockerDaemonResource)]
        shape = json.dumps({name: _shape(value) for wish in wishes for name, value in wish.items()})
        limits = any("log-opts" in wish for wish in wishes)
        return (
            quote("part", "file", "python3", "-I", "-B", "-c", _READ, FILE, shape)
            + "\n"
            + quote("part", "pending", "find", PENDING, "-maxdepth", "0")
            + "\n"
            + (f"{_LOGS}part {LOGS} logs_of_containers\n" if limits else "")
        )

    def standalone(self, **arguments: object) -> str:
        """`setting=iptables,live-restore`: the settings to look at."""
        names = str(arguments.pop("setting", "iptables")).split(",")
        if arguments:
            raise FactError(f"{self.section} takes setting=")
        return self.script([DockerDaemonResource(settings=dict.fromkeys(names, True))], Look())

    def parse(self, text: str) -> DaemonState:
        """Understand the section.

        Raises:
            FactError: the file is no JSON, with file and line; or there is no Python to read it with.
        """
        parts = split_parts(text)
        part, pending = parts.told("file"), parts.told("pending")
        if part.status == 127:  # noqa: PLR2004 (no such program)
            raise FactError(f"python3 is not installed, {FILE} cannot be read", hint="install python3")
        if part.failed:
            raise FactError(
                part.failed, hint="correct the file by hand: Docker would not start with it either"
            )
        try:
            found: dict[str, Any] = json.loads(part.text)
            return DaemonState(
                dict(found["settings"]),
                tuple(map(str, found["others"])),
                bool(found["live_restore"]),
                pending.status == 0 and bool(pending.text.strip()),
                _unlimited(parts[LOGS].lines) if LOGS in parts else (),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise FactError(f"{FILE}: not understood: {part.text.strip()[:80]!r}") from error


def _unlimited(lines: Sequence[str]) -> tuple[str, ...]:
    """Names of containers whose json-file has no size; every other driver limits itself or keeps nothing here."""
    words = (line.split() for line in lines)
    return tuple(
        sorted(
            name.removeprefix("/") for name, *rest in words if rest in (["json-file"], ["json-file", "-1"])
        )
    )


def notes(state: DaemonState, declared: Sequence[DockerDaemonResource], here: Here) -> list[Note]:  # noqa: ARG001 (every kind's signature)
    """Containers that were made before their logs were limited."""
    if not state.unlimited:
        return []
    names = ", ".join(state.unlimited)
    text = f"{here.host}: no limit for {names}, made before one was declared"
    return [Note(here.host, DockerDaemonResource.kind, LOGS, text, {"unlimited": list(state.unlimited)})]


def _shape(value: Value) -> Value:
    return {key: _shape(below) for key, below in value.items()} if isinstance(value, dict) else None


def observe_daemon(state: DaemonState, resource: DockerDaemonResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """The declared settings as the file has them, else Docker's default."""
    defaults = {name: DEFAULTS[name] for name in resource.settings if name in DEFAULTS}
    settings = {**defaults, **state.settings}
    return Present(
        {"settings": settings, "loaded": not state.pending},
        reason=_reason(state, resource, settings),
    )


def _reason(state: DaemonState, resource: DockerDaemonResource, settings: Mapping[str, Value]) -> str:
    differing = {name for name, value in resource.settings.items() if settings.get(name) != value}
    if not differing and not state.pending:
        return ""
    if not state.pending and differing <= RELOADED:
        return "Docker takes it over without a restart"
    if state.live_restore:
        return "restarts Docker; containers go on (live-restore)"
    return "restarts Docker and every container of this host"


def unmanaged_settings(
    state: DaemonState, declared: Sequence[DockerDaemonResource], here: Here
) -> list[Unmanaged]:
    """Settings that nobody declared, by name."""
    return [
        Unmanaged(here.host, kind, f"daemon.json {name}")
        for kind in {wish.kind for wish in declared}
        for name in state.others
    ]


FACT = DockerDaemonFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("DockerDaemon", FACT, name)
