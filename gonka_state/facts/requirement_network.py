"""Requirements of the network: ports that nobody else holds, and what must answer from the host."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import quote
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.firewall import ContainerPortResource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gonka_state.facts.base import Parts
    from gonka_state.facts.here import Here
    from gonka_state.resources.requirement import RequirementResource

SECONDS = 5
"""How long a target has to answer. All are asked at once, so this is what the whole part takes at most."""

PROXY = "docker-proxy"
"""The program that holds a published port for a container."""

# A target per line with what came of it. Any HTTP answer counts but one that tells of a broken way (502 to
# 504); without curl a TCP connection must do.
SHELL = rf"""
knock() {{
  if command -v bash >/dev/null; then timeout {SECONDS} bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2"
  else timeout {SECONDS} python3 -c 'import socket,sys; socket.create_connection((sys.argv[1],int(sys.argv[2])))' "$1" "$2"; fi 2>&1
}}
tcp() {{
  said=$(knock "$1" "$2"); rc=$?
  case $rc in
    0) echo ok ;;
    124|137) echo 'no answer within {SECONDS} s' ;;
    *) printf '%s\n' "$said" | sed -n '1s/^.*: //p' ;;
  esac
}}
web() {{
  said=$(curl -sS -o /dev/null --max-time {SECONDS} -w 'status %{{http_code}}\n' -- "$1" 2>&1)
  case $said in
    *'status 000'*) printf '%s\n' "$said" | sed -n 's/^curl: ([0-9]*) //p' | head -n 1 ;;
    *'status 50'[234]*) printf 'answers %s\n' "${{said##*status }}" ;;
    *) echo ok ;;
  esac
}}
reach() {{
  rest=${{1#*://}}; rest=${{rest%%/*}}; host=${{rest%:*}}; port=${{rest##*:}}
  case $1 in
    tcp://*) tcp "$(printf %s "$host" | tr -d '[]')" "$port" ;;
    *) if command -v curl >/dev/null; then web "$1"; else
      case $rest in *:*[0-9]) ;; *) host=$rest; case $1 in https:*) port=443 ;; *) port=80 ;; esac ;; esac
      tcp "$(printf %s "$host" | tr -d '[]')" "$port"; fi ;;
  esac
}}
probes() {{ for target in "$@"; do {{ said=$(reach "$target"); printf '%s\t%s\n' "$target" "${{said:-no answer}}"; }} & done; wait; }}
published() {{ engine 2>/dev/null && docker ps --no-trunc --format '{{{{.Ports}}}}\t{{{{.Names}}}}\t{{{{.Label "com.docker.compose.project"}}}}\t{{{{.Label "com.docker.compose.project.working_dir"}}}}'; }}
"""

_HELD = re.compile(r"(tcp|udp)\s+\S+\s+\d+\s+\d+\s+\S*:(\d+)\s+\S+(?:\s+users:\(\((.*)\)\))?\s*")
_USER = re.compile(r'"([^"]*)",pid=(\d+)')
_PUBLISHED = re.compile(r":(\d+)(?:-(\d+))?->[^/]*/(\w+)")


@dataclass(frozen=True, slots=True)
class Listener:
    """A port somebody listens on. `pid` is 0 where only root may know."""

    port: str
    program: str
    pid: int


@dataclass(frozen=True, slots=True)
class Container:
    """A running container with what it publishes, as `5050/tcp`."""

    name: str
    project: str
    directory: str
    ports: frozenset[str]


def lines(required: Sequence[RequirementResource]) -> Iterator[str]:
    """What requirements of these topics ask, all targets at once."""
    targets = dict.fromkeys(target for resource in required for target in resource.targets)
    if targets:
        yield quote("part", "reach", "probes", *targets)
    if any(resource.topic == "ports" for resource in required):
        yield "part listeners ss -Hltnup"
        yield "part published published"


def answers(parts: Parts) -> Mapping[str, str]:
    """What came of each target: `ok`, or why it did not answer."""
    part = parts.get("reach")
    lines = part.lines if part is not None else []
    return {target: said for target, tab, said in (line.partition("\t") for line in lines) if tab}


def listeners(parts: Parts) -> tuple[Listener, ...]:
    """Everybody who listens.

    Raises:
        FactError: ss is not installed, or said what cannot be understood.
    """
    found = []
    for line in parts.need("listeners").lines:
        if not line.strip():
            continue
        held = _HELD.fullmatch(line)
        if held is None:
            raise FactError(f"ss said {line[:80]!r}")
        users = _USER.findall(held[3] or "") or [("", "0")]
        found += [Listener(f"{held[2]}/{held[1]}", program, int(pid)) for program, pid in users]
    return tuple(dict.fromkeys(found))


def containers(parts: Parts) -> tuple[Container, ...]:
    """Running containers; none where Docker does not answer, for then none holds a port."""
    part = parts.get("published")
    found = []
    for line in part.lines if part is not None and part.status == 0 else ():
        cells = line.split("\t")
        if len(cells) == 4:  # noqa: PLR2004 (the four fields asked for)
            found.append(Container(cells[1], cells[2], cells[3], frozenset(_ports(cells[0]))))
    return tuple(found)


def _ports(text: str) -> Iterator[str]:
    for first, last, protocol in _PUBLISHED.findall(text):
        for port in range(int(first), int(last or first) + 1):
            yield f"{port}/{protocol}"


def foreign(
    ports: Sequence[str], listening: Sequence[Listener], running: Sequence[Container], here: Here
) -> list[str]:
    """Who holds one of `ports`, or one that this host's container ports are about, and is no container of ours.

    Raises:
        FactError: somebody holds one, and only root can tell who.
    """
    wanted = {
        *ports,
        *(
            f"{item.port}/{item.protocol}"
            for item in here.declared
            if isinstance(item, ContainerPortResource) and item.state == "present"
        ),
    }
    held = []
    for listener in listening:
        if listener.port not in wanted:
            continue
        if not listener.program:
            raise FactError(f"{listener.port} is held, and only root can tell by whom")
        if listener.program != PROXY:
            held.append(f"{listener.port} held by {listener.program} (pid {listener.pid})")
    for container in running:
        held += [
            f"{port} held by the container {container.name}"
            for port in sorted(container.ports & wanted)
            if not _ours(container, here)
        ]
    return sorted(dict.fromkeys(held))


def _ours(container: Container, here: Here) -> bool:
    services = [item for item in here.declared if isinstance(item, ComposeServiceResource)]
    return any(
        container.directory == service.directory
        or container.project == (service.project or PurePosixPath(service.directory).name)
        for service in services
    )


def silent(targets: Sequence[str], said: Mapping[str, str], here: Here) -> list[str]:
    """The targets that did not answer, with the reason; hosts by their names.

    A host that gave no answer to this look either is not counted: that is its own problem, told there.

    Raises:
        FactError: a target was not asked.
    """
    names = {address: name for name, address in here.addresses.items()}
    found = []
    for target in targets:
        if target not in said:
            raise FactError(f"{target} was not asked")
        host, _, port = target.removeprefix("tcp://").rpartition(":")
        name = names.get(host.strip("[]"), "") if target.startswith("tcp://") else ""
        if said[target] != "ok" and name not in here.silent:
            found.append(f"{f'{name} port {port}' if name else target}: {said[target]}")
    return found
