"""What the chain is doing while we look, and whether the cluster may be disturbed now."""

from __future__ import annotations

from dataclasses import dataclass

SAFE_PHASE = "Inference"


@dataclass(frozen=True, slots=True)
class ChainSource:
    """Where the phase of the chain is read: on which host, from which APIs (the first that answers).

    `keyring` is the path of the warm key's file on that host, empty where it cannot be known; `address` the
    cluster's cold address, empty while it is not known.
    """

    host: str
    apis: tuple[str, ...]
    keyring: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """One look at the chain (gonka-contract 7).

    `serving`: the cluster takes part in this epoch, or nobody could tell that it does not. `why` says in words
    what keeps a disruptive step from running now; empty when nothing does. Heights are blocks.
    """

    serving: bool
    phase: str = ""
    height: int = 0
    next_poc: int = 0
    why: str = ""

    @property
    def holds(self) -> bool:
        """True where a disruptive step must wait."""
        return self.serving and bool(self.why)

    @property
    def words(self) -> str:
        """The state of the chain in one line."""
        if not self.phase:
            return self.why if self.serving else "this cluster does not serve yet"
        left = f", next PoC in {self.next_poc - self.height} blocks" if self.next_poc > self.height else ""
        serves = "" if self.serving else "; this cluster does not serve yet"
        return f"{self.phase}, block {self.height}{left}{serves}"


UNREAD = Chain(serving=True, why="the phase of the chain is not known")
"""Nobody could look: taken for serving, so nothing is disturbed."""
