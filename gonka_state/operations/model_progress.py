"""A download as its host shows it: the unit's state, the bytes, and what they say about the rest."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core.units import human_bytes, human_duration
from gonka_state.facts.model_cache import of

if TYPE_CHECKING:
    from gonka_state.operations.base import Result


@dataclass(frozen=True, slots=True)
class Status:
    """A download unit as systemd shows it, with the bytes under `blobs/` at that moment.

    `uptime` is the host's clock, in seconds; `part` are bytes of files being written.
    """

    loaded: bool = False
    sub: str = "dead"
    result: str = ""
    exit: int = 0
    restarts: int = 0
    description: str = ""
    invocation: str = ""
    uptime: float = 0.0
    whole: int = 0
    part: int = 0

    @classmethod
    def read(cls, answer: Result) -> Status:
        """Read the answer to `Job.look`; a unit that nobody knows is not loaded."""
        pairs = dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
        return cls(
            loaded=pairs.get("LoadState") == "loaded",
            sub=pairs.get("SubState", "dead"),
            result=pairs.get("Result", ""),
            exit=_number(pairs.get("ExecMainStatus", "")),
            restarts=_number(pairs.get("NRestarts", "")),
            description=pairs.get("Description", ""),
            invocation=pairs.get("InvocationID", ""),
            uptime=_number(pairs.get("Uptime", "").replace(".", "")) / 100,
            whole=_number(pairs.get("Whole", "")),
            part=_number(pairs.get("Part", "")),
        )

    @property
    def running(self) -> bool:
        """True while the client works, starts, or waits for its next attempt."""
        return self.loaded and self.sub in {"running", "start", "start-pre", "auto-restart"}

    @property
    def succeeded(self) -> bool:
        """True when the client ended with exit status 0 and the unit still tells."""
        return self.loaded and self.sub == "exited" and self.result == "success"


@dataclass(slots=True)
class Progress:
    """Bytes over time. `total` is 0 where the hub did not tell; `foreign` is never counted."""

    total: int
    foreign: int
    _samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=6))
    _began: float | None = None
    _last: float = 0.0

    def add(self, status: Status) -> None:
        """Take one more look."""
        self._began = status.uptime if self._began is None else self._began
        self._last = status.uptime
        written = status.part if status.running else 0
        self._samples.append((status.uptime, max(0, status.whole + written - self.foreign)))

    @property
    def seconds(self) -> float:
        """How long we have followed it."""
        return self._last - (self._began or 0.0)

    @property
    def done(self) -> int:
        """Bytes that are there."""
        have = self._samples[-1][1] if self._samples else 0
        return min(have, self.total) if self.total else have

    @property
    def rate(self) -> float:
        """Bytes a second over the last looks; 0 when nothing moved."""
        if not self._samples:
            return 0.0
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return max(0.0, (after - before) / (last - first)) if last > first else 0.0

    @property
    def bytes(self) -> str:
        """`12.3 of 33.1 GB`."""
        return of(self.done, self.total) if self.total else human_bytes(self.done)

    @property
    def line(self) -> str:
        """`12.3 of 33.1 GB (37 %), 112.0 MB/s, 3 min left`."""
        parts = [self.bytes + (f" ({100 * self.done // self.total} %)" if self.total else "")]
        if len(self._samples) > 1:
            parts.append(f"{human_bytes(self.rate)}/s")
        # The first bytes are small files: what they say about the rest is nonsense.
        if self.rate and self.done * 100 >= self.total > 0:
            parts.append(f"{human_duration((self.total - self.done) / self.rate)} left")
        return ", ".join(parts)

    @property
    def pause(self) -> float:
        """Seconds to the next look: short downloads end soon, long ones need no crowd of lines."""
        return min(30.0, max(2.0, self.seconds / 10))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0
