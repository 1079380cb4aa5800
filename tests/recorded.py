"""The plan's second cluster as the demo recorded it: its wish, and the look at its six hosts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.facts.snapshot import Snapshot, restore
from gonka_state.registry import KINDS
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

ROOT = Path(__file__).parents[1]


def recorded_wish() -> Desired[Resource]:
    """The cluster's file with the demo's overlay."""
    (found,) = load(
        [ROOT / "desired/cluster2.yaml"],
        overlays=[ROOT / "docs/demo/overlay.yaml"],
        models={name: kind.resource for name, kind in KINDS.items()},
        env={},
    )
    return found


def recorded_look() -> Snapshot:
    """What its hosts answered."""
    return restore((ROOT / "docs/demo/snapshot.json").read_text(), "snapshot")
