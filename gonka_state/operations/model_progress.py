"""A download as its host shows it: the unit's state, the bytes, and what they say about the rest."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.core.units import human_bytes
from gonka_state.facts.base import quote
from gonka_state.facts.model_cache import folder, of, slug
from gonka_state.facts.models import UNIT_PREFIX
from gonka_state.operations.base import Do, Result

if TYPE_CHECKING:
    from gonka_state.resources.model import ModelResource

PUBLIC_HUB = "https://huggingface.co"

# awk's %d ends at 2 GiB in mawk. A preallocated file is counted by what is written.
_LOOK = r"""
systemctl show "$unit" -p LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,Description
cut -d ' ' -f 1 /proc/uptime | sed 's/^/Uptime=/'
[ -d "$blobs" ] || exit 0
find -L "$blobs" -ignore_readdir_race -type f \( ! -name '*.incomplete' -o -mmin -2 \) -printf '%s %b %f\n' |
  awk '$3 ~ /[.]incomplete$/ { part += ($2 * 512 < $1) ? $2 * 512 : $1; next } { whole += $1 }
    END { printf "Whole=%.0f\nPart=%.0f\n", whole, part }'
"""

_ASK = r"""
place=$home
while ! [ -d "$place" ]; do place=$(dirname -- "$place"); done
df -PB1 -- "$place" | awk 'NR == 2 { print "free " $4 }'
[ ! -d "$blobs" ] || find -L "$blobs" -ignore_readdir_race -type f ! -name '*.incomplete' -printf 'blob %s %f\n'
echo hub
curl -sSL --connect-timeout 10 --max-time 60 --retry 3 --retry-connrefused -w '\n%{http_code}' -- "$url"
"""


@dataclass(frozen=True, slots=True)
class Job:
    """One download: what to fetch, where to, and the name of the unit that does it."""

    model: str
    revision: str
    home: str
    client: str
    endpoint: str
    private: bool

    @classmethod
    def of(cls, resource: ModelResource) -> Job:
        """The download that would make this resource complete."""
        hub = (resource.endpoint or PUBLIC_HUB).rstrip("/")
        return cls(
            resource.name, resource.revision, resource.home, resource.client, hub, bool(resource.endpoint)
        )

    @property
    def unit(self) -> str:
        """One unit per model: a second download of it cannot start."""
        return f"{UNIT_PREFIX}{slug(self.model)}.service"

    @property
    def description(self) -> str:
        """Tells a unit that fetches another revision or into another home."""
        return f"{self.model} at {self.revision} into {self.home}"

    @property
    def cancel(self) -> str:
        """What ends the download by hand."""
        return f"cancel it on the host: systemctl stop {self.unit}"

    @property
    def words(self) -> list[str]:
        """The client's arguments; `--local-dir` would make a layout that an ML node cannot read."""
        return ["download", self.model, "--revision", self.revision, "--quiet"]

    @property
    def environment(self) -> dict[str, str]:
        """The client's environment; a system unit inherits nothing of a login."""
        quiet = {"NO_COLOR": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
        return {"HF_HOME": self.home, **({"HF_ENDPOINT": self.endpoint} if self.private else {}), **quiet}

    def look(self) -> Do:
        """Read the unit's state and the bytes that are there."""
        return Do(
            "look at the download", f"unit={quote(self.unit)} blobs={quote(self._blobs)}\n{_LOOK}", again=True
        )

    def ask(self) -> Do:
        """Ask the hub for the sizes of all files, and the host for its free space and whole files."""
        url = f"{self.endpoint}/api/models/{self.model}/tree/{self.revision}?recursive=true"
        script = f"home={quote(self.home)} blobs={quote(self._blobs)} url={quote(url)}\n{_ASK}"
        return Do(
            f"ask {self.endpoint} for the size of {self.model}", script, deadline=300, again=True, check=False
        )

    def last_words(self) -> Do:
        """Read the client's own last lines, then forget the failed unit; the journal keeps them."""
        unit = quote(self.unit)
        script = f"journalctl --no-pager -o cat -n 8 _SYSTEMD_UNIT={unit}\nsystemctl reset-failed {unit} 2>/dev/null"
        return Do(f"read the last words of {self.unit}", script, check=False)

    @property
    def _blobs(self) -> str:
        return f"{self.home}/hub/{folder(self.model)}/blobs"


@dataclass(frozen=True, slots=True)
class Room:
    """What the hub and the disk say, in bytes.

    `foreign` are whole files of other revisions. `refused` is why the hub did not answer, with its HTTP
    `status`, 0 where it was not reached.
    """

    free: int = 0
    total: int = 0
    needed: int = 0
    foreign: int = 0
    refused: str = ""
    status: int = 0


def of_hub(result: Result) -> Room:
    """Read the answer to `Job.ask`. Sizes are those of the first page of the hub's listing (1000 files)."""
    head, _, answer = result.stdout.partition("\nhub\n")
    rows = [line.split(" ", 2) for line in head.splitlines()]
    free = next((int(row[1]) for row in rows if row[0] == "free"), 0)
    blobs = {row[2]: int(row[1]) for row in rows if row[0] == "blob"}
    body, _, code = answer.rpartition("\n")
    status = int(code) if code.strip().isdecimal() else 0
    if status != 200:  # noqa: PLR2004 (HTTP's OK)
        return Room(free, refused=_refusal(result, body, status), status=status)
    try:
        files = {
            _blob(entry): int(entry["size"]) for entry in json.loads(body) if entry.get("type") == "file"
        }
    except (ValueError, KeyError, TypeError, AttributeError):
        return Room(free, refused=f"its listing cannot be read: {body[:80]!r}", status=status)
    have = sum(size for name, size in files.items() if blobs.get(name) == size)
    total = sum(files.values())
    return Room(free, total, total - have, sum(blobs.values()) - have, status=status)


def _blob(entry: dict[str, Any]) -> str:
    """The name under `blobs/` of a listed file: sha256 of a large one, git's name of a small one."""
    large = entry.get("lfs") or {}
    return str(large.get("oid") or entry["oid"])


def _refusal(result: Result, body: str, status: int) -> str:
    if status:
        return f"answered {status} {body.strip()[:200]}".rstrip()
    return result.words or "did not answer"


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
            exit=int(pairs.get("ExecMainStatus") or 0),
            restarts=int(pairs.get("NRestarts") or 0),
            description=pairs.get("Description", ""),
            uptime=float(pairs.get("Uptime") or 0),
            whole=int(pairs.get("Whole") or 0),
            part=int(pairs.get("Part") or 0),
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
        self._samples.append((status.uptime, max(0, status.whole + status.part - self.foreign)))

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
        if self.total and self.rate:
            parts.append(f"{_duration((self.total - self.done) / self.rate)} left")
        return ", ".join(parts)

    @property
    def pause(self) -> float:
        """Seconds to the next look: short downloads end soon, long ones need no crowd of lines."""
        return min(30.0, max(2.0, self.seconds / 10))


def _duration(seconds: float) -> str:
    if seconds < 100:  # noqa: PLR2004 (below, seconds are what people count in)
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"  # noqa: PLR2004 (as above)
