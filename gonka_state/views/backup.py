"""Snapshots and restores for people, and snapshots for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.core.restoring import CONFIGURATION, CONSENSUS, KEPT_APART
from gonka_state.core.units import human_age, human_bytes, iso_moment, show_moment
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.restoring import Restore, RestoredFile, Snapshot

_MARKS = {"missing": "+", "same": "=", "differs": "·"}


def render_snapshots(cluster: str, found: Sequence[Snapshot], now: float, style: Style) -> str:
    """A line per snapshot, the newest last, and what is in that one."""
    if not found:
        return f"{cluster}: no snapshot yet"
    lines = []
    for item in found:
        size = "" if item.size is None else human_bytes(item.size)
        age = f"{human_age(now - item.time)} old"
        lines.append(f"{clean(item.id)}  {show_moment(item.time)}  {age:>14}  {size:>9}  {clean(item.host)}")
    newest = found[-1]
    lines += [
        "",
        style.paint(f"in {clean(newest.id)}", "bold"),
        *(f"  {clean(path)}" for path in newest.paths),
    ]
    return "\n".join([*lines, "", f"{cluster}: {len(found)} snapshots"])


def snapshots_document(cluster: str, found: Sequence[Snapshot], status: int) -> str:
    """The same for programs."""
    listed = [
        {
            "id": item.id,
            "time": iso_moment(item.time),
            "host": item.host,
            "bytes": item.size,
            "paths": item.paths,
        }
        for item in found
    ]
    document = {"format": "gonka-state/snapshots", "version": 1, "cluster": cluster, "snapshots": listed}
    return json.dumps({**document, "exit_status": status}, indent=1)


def render_restore(restore: Restore, snapshot: Snapshot, where: str, now: float, style: Style) -> str:
    """What is put back, what is here, what stays in the backup."""
    age = human_age(now - snapshot.time)
    lines = [style.paint(where, "bold")]
    lines.append(f"snapshot {snapshot.id} of {clean(snapshot.host)}, {show_moment(snapshot.time)}, {age} old")
    lines += [f"  {_file(item, restore, style)}" for item in restore.files]
    return "\n".join([*lines, "", f"Restore: {len(restore.missing)} files of {len(restore.files)}"])


def _file(item: RestoredFile, restore: Restore, style: Style) -> str:
    text = f"{item.what:<13} {clean(item.path)}"
    if item.what not in restore.wanted:
        apart = (
            f"stays in the backup: {KEPT_APART}" if item.path == restore.key_file else "stays in the backup"
        )
        return style.paint("-", "yellow") + f" {text}  {apart}"
    mark = style.paint(_MARKS[item.now], "green" if item.now == "missing" else "dim")
    if item.now == "same":
        return f"{mark} {text}  is here already"
    if item.now == "missing":
        raised = item.what == CONSENSUS and item.path.endswith("state.json")
        return f"{mark} {text}{'  with a height beyond the newest block' if raised else ''}"
    here = "another one is here and stays" if item.what == CONFIGURATION else "moves on here, and stays"
    return f"{mark} {text}  {here}"
