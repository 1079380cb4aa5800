"""What fills a host's disks, as one section: file systems, data backups of upgrades, the chain's database, logs.

Sources: cosmovisor leaves a copy of the chain's data beside it at each upgrade and never removes it; the
application database grows with the history that is kept (gonka-contract 10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import Part, quote, split_parts
from gonka_state.facts.compose import ENGINE
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.snapshot import HostLook

SECTION = "disk-use"
DEADLINE = 60
"""Seconds: the directories may hold hundreds of gigabytes."""

# Docker keeps images where it is told to, or in containerd (what Docker 29 begins with).
_SCRIPT = (
    ENGINE
    + r"""
root() {
  told=$(engine 2>/dev/null && timeout 10 docker info --format '{{.DockerRootDir}}' 2>/dev/null)
  printf '%s\n' "${told:-/var/lib/docker}"
}
ROOT=$(root)
place() { at=$1; while ! [ -d "$at" ]; do at=$(dirname -- "$at"); done; printf '%s\n' "$at"; }
space() {
  for p in "$@"; do df -PB1 -- "$(place "$p")"; done |
    awk '$1 != "Filesystem" { mount = $0; sub(/^([^ ]+ +)+[0-9]+% +/, "", mount); if (!seen[mount]++) print $3, $4, mount }'
}
size() { du -sxB1 -- "$1" | cut -f 1; }
backups() {
  for home in "$@"; do for d in "$home"/data-backup-*; do
    [ ! -d "$d" ] || printf '%s %s %s\n' "$(size "$d")" "$(stat -c %Y -- "$d")" "$d"
  done; done
}
database() { for home in "$@"; do d="$home/data/application.db"; [ ! -e "$d" ] || printf '%s %s\n' "$(size "$d")" "$d"; done; }
logs() {
  [ ! -d "$ROOT/containers" ] ||
    find "$ROOT/containers" -ignore_readdir_race -maxdepth 2 -name '*-json.log*' -printf '%s\n' |
      awk '{ s += $1 } END { printf "%d\n", s }'
}
"""
)


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One file system: bytes that are taken, and bytes that are free to everybody."""

    mount: str
    used: int
    free: int

    @property
    def full(self) -> float:
        """The part that is taken, as df counts it: what is kept back for root is neither."""
        return self.used / max(self.used + self.free, 1)


@dataclass(frozen=True, slots=True)
class Taken:
    """Something and the bytes it takes; `age` in seconds since it was last written, 0 where nobody asked."""

    path: str
    size: int
    age: float = 0.0


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What takes the room. `logs` are the bytes of Docker's own logs."""

    file_systems: tuple[FileSystem, ...]
    backups: tuple[Taken, ...]
    databases: tuple[Taken, ...]
    logs: int = 0


def script(places: Sequence[str], homes: Sequence[str]) -> str:
    """POSIX sh. `places` are directories whose file systems count, `homes` those of chain nodes."""
    return "\n".join(
        (
            _SCRIPT,
            "part clock date +%s",
            f'part space space / "$ROOT" {quote("/var/lib/containerd", *places)}',
            quote("part", "backups", "backups", *homes),
            quote("part", "databases", "database", *homes),
            "part logs logs",
        )
    )


def parse(text: str) -> DiskUse:
    """Understand the section.

    Raises:
        FactError: it was cut short, or a line cannot be understood.
    """
    parts = split_parts(text)
    try:
        now = float(parts.need("clock").text)
        rows = [line.split(" ", 2) for line in parts.need("space").lines if line]
        systems = tuple(FileSystem(mount, int(used), int(free)) for used, free, mount in rows)
        backups = [line.split(" ", 2) for line in _lines(parts.told("backups"))]
        databases = [line.split(" ", 1) for line in _lines(parts.told("databases"))]
        return DiskUse(
            systems,
            tuple(Taken(path, int(size), now - int(at)) for size, at, path in backups),
            tuple(Taken(path, int(size)) for size, path in databases),
            int(parts.told("logs").text.strip() or 0),
        )
    except ValueError as error:
        raise FactError(f"df and du cannot be understood: {error}") from error


def _lines(part: Part) -> list[str]:
    """A file that vanished under du leaves its words on stderr, and a sum all the same."""
    return [line for line in part.lines if line]


def read(look: HostLook | None) -> DiskUse | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
