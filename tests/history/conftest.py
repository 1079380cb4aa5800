"""A history on disk, and looks to put into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change, Effect
from gonka_state.core.plan import HostLooked, Plan
from gonka_state.core.report import plan_status
from gonka_state.history.file import opened
from gonka_state.history.record import Entry, record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gonka_state.core.incident import Seen

NAMES = ("a", "b", "c")


def differing(name: str, before: str = "other") -> Change:
    """A file that differs."""
    item = AttributeChange("content", before, name)
    return Change(Address("host", "file", name), Action.UPDATE, (item,), effect=Effect.DISRUPTIVE)


def looked(*changes: Change, lab: bool = False, unknown: str = "", names: tuple[str, ...] = NAMES) -> Plan:
    """A look at one host with a few files; those that no change is about are in sync."""
    about = {change.address.name for change in changes}
    synced = () if unknown else tuple(Address("host", "file", n) for n in names if n not in about)
    return Plan(
        "tiny",
        lab=lab,
        hosts=(HostLooked("host", unknown=unknown),),
        changes=changes,
        in_sync=len(synced),
        synced=synced,
        seconds=1.5,
    )


@dataclass
class Store:
    """A history, with a clock of its own that goes on by a minute with every record."""

    file: Path
    now: float = 1_000_000.0

    def keep(self, plan: Plan, wishes: Mapping[str, str] | None = None, **more: Any) -> dict[str, Seen]:  # noqa: ANN401 (an entry's own words)
        """Record one look; wishes are 1 where nothing is said."""
        self.now += 60
        digests = {f"host/file:{name}": "1" for name in NAMES} | dict(wishes or {})
        entry = Entry("drift", plan, True, self.now, plan.seconds, plan_status(plan), 365, digests)  # noqa: FBT003 (a value's field)
        with opened(self.file) as connection:
            return record(connection, replace(entry, declared=frozenset(digests), **more))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty history."""
    return Store(tmp_path / "state" / "history.db")
