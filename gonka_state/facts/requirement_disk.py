"""Requirements of the disk behind a path: free bytes, size, and what kind of disk it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.core.observation import Value
    from gonka_state.facts.base import Part, Parts
    from gonka_state.resources.requirement import RequirementResource

# `lsblk -s` lists a device and everything it lies on, down to the disks.
SHELL = r"""
nearest() { _p=$1; while [ ! -e "$_p" ] && [ "$_p" != / ]; do _p=$(dirname "$_p"); done; echo "$_p"; }
free_at() { df -PB1 "$(nearest "$1")" | tail -n 1; }
counted() { _s=0; for _d in "$@"; do [ -d "$_d" ] && _s=$((_s + $(du -sB1 "$_d" | cut -f1))); done; echo "$_s"; }
device_at() {
  _d=$(free_at "$1" | cut -d ' ' -f 1)
  case $_d in /*) lsblk -bPnso NAME,TYPE,SIZE,TRAN,ROTA -- "$_d" ;; *) echo "$_d" ;; esac
}
"""

_PAIR = re.compile(r'(\w+)="([^"]*)"')


def lines(resource: RequirementResource) -> Iterator[str]:
    """What one requirement about a disk asks."""
    path = resource.path
    if resource.topic != "disk-type":
        yield quote("part", f"disk {path}", "free_at", path)
    if resource.topic == "disk":
        yield quote("part", f"counted {resource.name}", "counted", *resource.counts)
    else:
        yield quote("part", f"device {path}", "device_at", path)


def read(parts: Parts) -> tuple[dict[str, Value], dict[str, str]]:
    """Bytes and kinds by what was asked (`free /`, `size /`, `type /`, `counted NAME`), and errors likewise."""
    found: dict[str, Value] = {}
    errors: dict[str, str] = {}
    for name, part in parts.items():
        verb, _, subject = name.partition(" ")
        fields = part.text.split()
        try:
            if verb == "disk":
                found[f"free {subject}"] = int(fields[3])
                found.setdefault(f"size {subject}", int(fields[1]))
            elif verb == "counted":
                found[name] = int(fields[0])
            elif verb == "device":
                found |= _device(part, subject)
        except (ValueError, IndexError, KeyError):
            errors[f"disk {subject}"] = part.failed or f"df said {part.text[:80]!r}"
        except FactError as error:
            errors[f"type {subject}"] = str(error)
    return found, errors


def _device(part: Part, path: str) -> dict[str, Value]:
    """How large the disk is, and of what kind: `nvme`, `sata`, `rotating`, several joined.

    A file system that spans disks is as large as its own device, one on a partition as the whole disk; one
    without a device (overlay, tmpfs, a pool) is called by its source.
    """
    if part.status != 0:
        raise FactError(f"no disk is behind it ({part.failed})")
    rows = [dict(_PAIR.findall(line)) for line in part.lines if line.strip()]
    if not rows[0]:
        return {f"type {path}": part.text.strip()}
    disks = [row for row in rows if row["TYPE"] == "disk"]
    if not disks:
        raise FactError("lsblk names no disk behind it")
    size = max(int(row["SIZE"]) for row in (rows[0], *disks))
    return {f"size {path}": size, f"type {path}": ", ".join(sorted({_kind(row) for row in disks}))}


def _kind(row: dict[str, str]) -> str:
    if row["NAME"].startswith("nvme"):
        return "nvme"
    return "rotating" if row["ROTA"] == "1" else (row["TRAN"] or "virtual")
