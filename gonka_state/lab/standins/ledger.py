"""What the chain knows: accounts, participants, grants, fee allowances. One value, which nodes copy whole.

What makes them: gonka-contract 6.2 and 6.3; who asks for them: 2 and 6.4.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Entry = dict[str, Any]
PARTS: dict[str, type] = {
    "accounts": dict, "participants": dict, "transactions": dict, "grants": list, "allowances": list,
    "summaries": dict,
}  # fmt: skip


@dataclass(frozen=True)
class Ledger:
    """One state of the chain. What is `visible_at` a later moment is in no block yet."""

    value: Entry = field(default_factory=dict)

    def _visible(self, part: str) -> dict[str, Entry]:
        now = time.time()
        return {
            key: item for key, item in self.value.get(part, {}).items() if item.get("visible_at", 0) <= now
        }

    def account(self, address: str) -> Entry | None:
        """An account, whoever made it."""
        found: Entry | None = self.value.get("accounts", {}).get(address)
        return found

    def participants(self) -> dict[str, Entry]:
        """Registered hosts by address."""
        return self._visible("participants")

    def transaction(self, digest: str) -> Entry | None:
        """A transaction that is in a block."""
        return self._visible("transactions").get(digest)

    def grants(self, *, granter: str = "", grantee: str = "") -> list[Entry]:
        """The grants that have not expired, of one granter, to one grantee."""
        now = chainclock.rfc3339(time.time())
        return [
            item
            for item in self.value.get("grants", [])
            if item["expiration"] > now
            and granter in {"", item["granter"]}
            and grantee in {"", item["grantee"]}
        ]

    def summary(self, epoch: str, address: str) -> Entry | None:
        """What a host did in an epoch, and whether its reward is claimed."""
        found: Entry | None = self.value.get("summaries", {}).get(f"{epoch}/{address}")
        return found

    def allowance(self, granter: str, grantee: str) -> Entry | None:
        """What the granter pays of the grantee's fees."""
        found = self.value.get("allowances", [])
        return next(
            (item for item in found if (item["granter"], item["grantee"]) == (granter, grantee)), None
        )


class Book:
    """The ledger in its file, which a test may edit at any time."""

    def __init__(self, path: Path) -> None:
        self.control = chainclock.Control(path)
        self._lock = threading.RLock()

    def read(self) -> Ledger:
        """The ledger as it is now."""
        return Ledger(self.control.read())

    @contextmanager
    def change(self) -> Iterator[Entry]:
        """Change the ledger; the file is there whole at every moment."""
        with self._lock:
            value = self.control.read()
            for part, kind in PARTS.items():
                value.setdefault(part, kind())
            yield value
            write(self.control.path, value)


def write(path: Path, value: Entry) -> None:
    """Put a state down, at once."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value, indent=1) + "\n")
    part.replace(path)
