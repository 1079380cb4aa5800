"""How a host's containers end and what they say of it, as one section: exit codes, memory, known messages.

Of the logs only known messages leave the host (`facts/known_messages.py`): a log may hold anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import Parts, quote, split_parts
from gonka_state.facts.compose import ENGINE
from gonka_state.facts.container import moment
from gonka_state.facts.known_messages import CONTAINER, DAEMON, UNREAD, counted, expression
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from gonka_state.facts.snapshot import HostLook

SECTION = "crashes"
DEADLINE = 60
RECENT = "15m"
"""How far back the log of a container that runs is read; of one that does not, its end."""

_COLUMNS = (
    "{{.ID}}", "{{.Name}}", '{{index .Config.Labels "com.docker.compose.service"}}', "{{.State.Status}}",
    "{{.State.ExitCode}}", "{{.State.OOMKilled}}", "{{.RestartCount}}", "{{.State.StartedAt}}",
)  # fmt: skip

_SCRIPT = (
    ENGINE
    + r"""
answers() { engine || return; docker info --format '{{.ServerVersion}}'; }
daemon() {
  command -v journalctl >/dev/null || { echo 'journalctl is not installed' >&2; return 127; }
  { journalctl -u docker.service -q --since -1h -o cat --no-pager 2>/dev/null || echo "$UNREAD"; } |
    grep -aoE -- "$DAEMON" | sort | uniq -c | sort -rn | head -n 20
}
seen() {
  ids=$(docker ps -aq --no-trunc) || return
  [ -z "$ids" ] || docker inspect --type container --format "$FORMAT" $ids
}
replay() { if [ "$RC" = 0 ]; then printf '%s\n' "$SEEN"; else printf '%s\n' "$SEEN" >&2; return "$RC"; fi; }
memory() { docker stats --no-stream --no-trunc --format '{{.Name}}	{{.MemUsage}}	{{.MemPerc}}'; }
said() {
  since=; [ "$2" != running ] || since="--since $RECENT"
  { docker inspect --type container --format '{{.State.Error}}' "$1"
    docker logs $since --tail 2000 "$1" 2>&1 || echo "$UNREAD"; } |
    grep -aoE -- "$MESSAGES" | sort | uniq -c | sort -rn | head -n 20
}
every() {
  printf '%s\n' "$SEEN" | while IFS='	' read -r id name service status _rest; do
    case $service in '' | '<no value>') ;; *) part "said ${name#/}" said "$id" "$status" ;; esac
  done
}
"""
)


@dataclass(frozen=True, slots=True)
class Ended:
    """One container of compose. `said` counts known messages by name and text; None where its log cannot be read.

    `restarts` are Docker's own since somebody started it, and `age` is in seconds since the last start. `memory` is
    what it uses, in Docker's words, and `share` that part of what it may use; 0 where not told.
    """

    name: str
    service: str
    status: str
    exit: int
    killed_for_memory: bool
    restarts: int
    age: float
    said: dict[str, dict[str, int]] | None = field(default_factory=dict)
    memory: str = ""
    share: float = 0.0


@dataclass(frozen=True, slots=True)
class Crashes:
    """The engine and its containers. `problem`: the engine does not answer; `daemon` what its journal says."""

    problem: str = ""
    daemon: dict[str, dict[str, int]] = field(default_factory=dict)
    containers: tuple[Ended, ...] = ()


def script() -> str:
    """POSIX sh: four calls of docker and two per container."""
    values = {
        "FORMAT": "\t".join(_COLUMNS), "UNREAD": UNREAD, "RECENT": RECENT,
        "MESSAGES": expression(CONTAINER), "DAEMON": expression(DAEMON),
    }  # fmt: skip
    return "\n".join(
        (
            _SCRIPT,
            *(f"{name}={quote(value)}" for name, value in values.items()),
            "part engine answers; engine_rc=$_rc",
            "part daemon daemon",
            '[ "$engine_rc" = 0 ] || exit 0',
            "SEEN=$(seen 2>&1); RC=$?; part containers replay; [ $RC = 0 ] || exit 0",
            "part clock date +%s",
            "part memory memory",
            "every",
            "part end echo end",
        )
    )


def parse(text: str) -> Crashes:
    """Understand the section.

    Raises:
        FactError: it was cut short, or docker's answer cannot be understood.
    """
    parts = split_parts(text)
    engine, daemon = parts.told("engine"), parts.told("daemon")
    journal = counted(daemon.lines, DAEMON)
    if engine.failed:
        return Crashes(engine.failed, journal)
    containers = parts.told("containers")
    if containers.failed:
        return Crashes(containers.failed, journal)
    parts.need("end")
    try:
        now = float(parts.need("clock").text)
        ended = (_ended(line, parts, now) for line in containers.lines if line)
        return Crashes("", journal, tuple(one for one in ended if one.service))
    except ValueError as error:
        raise FactError(f"docker's answer cannot be understood: {error}") from error


def _ended(line: str, parts: Parts, now: float) -> Ended:
    _, name, service, status, code, killed, restarts, started = line.split("\t")
    name = name.removeprefix("/")
    part = parts.get(f"said {name}")
    lines = part.lines if part is not None else []
    unread = part is None or any(line.endswith(f" {UNREAD}") for line in lines)
    memory, share = _memory(parts).get(name, ("", 0.0))
    return Ended(
        name,
        "" if service == "<no value>" else service,
        status,
        int(code),
        killed == "true",
        int(restarts),
        now - moment(started),
        None if unread else counted(lines, CONTAINER),
        memory,
        share,
    )


def _memory(parts: Parts) -> dict[str, tuple[str, float]]:
    """Docker's own numbers; a container that stopped meanwhile has none."""
    found = {}
    for line in parts["memory"].lines if "memory" in parts else ():
        name, *rest = line.split("\t")
        if len(rest) == 2 and rest[1].removesuffix("%").replace(".", "", 1).isdecimal():  # noqa: PLR2004 (its columns)
            found[name] = (rest[0].partition(" / ")[0], float(rest[1].removesuffix("%")) / 100)
    return found


def read(look: HostLook | None) -> Crashes | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
