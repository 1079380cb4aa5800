"""One download: what to fetch, what to ask the hub, the disk and systemd about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.facts.hub import hub_of, listed, listing_url
from gonka_state.facts.model_cache import folder, slug
from gonka_state.facts.models import UNIT_PREFIX
from gonka_state.operations.base import Do, Result

if TYPE_CHECKING:
    from gonka_state.resources.model import ModelResource

_QUIET = ("HF_HUB_DISABLE_PROGRESS_BARS", "HF_HUB_DISABLE_TELEMETRY", "HF_HUB_DISABLE_UPDATE_CHECK")

# Only what this attempt writes is progress: a killed one leaves its files, and the client starts them anew.
# awk's %d ends at 2 GiB in mawk. A preallocated file is counted by what is written.
_LOOK = r"""
systemctl show "$unit" -p LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,Description,InvocationID
cut -d ' ' -f 1 /proc/uptime | sed 's/^/Uptime=/'
[ -d "$blobs" ] || exit 0
since=$(TZ=UTC systemctl show --value -p ExecMainStartTimestamp "$unit" | sed 's/^[A-Z][a-z]* //')
find -L "$blobs" -ignore_readdir_race -type f \( ! -name '*.incomplete' -o -newermt "${since:-now}" \) \
  -printf '%s %b %f\n' | awk '
    $3 ~ /[.]incomplete$/ { part += ($2 * 512 < $1) ? $2 * 512 : $1; next } { whole += $1 }
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
        hub, private = hub_of(resource), bool(resource.endpoint)
        return cls(resource.name, resource.revision, resource.home, resource.client, hub, private)

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
        hub = {"HF_ENDPOINT": self.endpoint} if self.private else {}
        return {"HF_HOME": self.home, **hub, "NO_COLOR": "1", **dict.fromkeys(_QUIET, "1")}

    def look(self) -> Do:
        """Read the unit's state and the bytes that are there."""
        return Do(
            "look at the download", f"unit={quote(self.unit)} blobs={quote(self.blobs)}\n{_LOOK}", again=True
        )

    def ask(self) -> Do:
        """Ask the hub for the sizes of all files, and the host for its free space and whole files."""
        url = listing_url(self.endpoint, self.model, self.revision)
        script = f"home={quote(self.home)} blobs={quote(self.blobs)} url={quote(url)}\n{_ASK}"
        return Do(
            f"ask {self.endpoint} for the size of {self.model}", script, deadline=300, again=True, check=False
        )

    def last_words(self, invocation: str) -> Do:
        """Read the last lines of one attempt, then forget the failed unit; the journal keeps them."""
        journal = quote(
            "journalctl", "--no-pager", "-o", "cat", "-n", "8", f"_SYSTEMD_INVOCATION_ID={invocation}"
        )
        script = f"{journal}\nsystemctl reset-failed {quote(self.unit)} 2>/dev/null"
        return Do(f"read the last words of {self.unit}", script, check=False)

    @property
    def blobs(self) -> str:
        """Where the client keeps this model's files by content."""
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
    free = next((int(row[1]) for row in rows if row[0] == "free" and row[1].isdecimal()), 0)
    blobs = {row[2]: int(row[1]) for row in rows if row[0] == "blob" and len(row) == 3}  # noqa: PLR2004 (word, size, name)
    body, _, code = answer.rpartition("\n")
    status = int(code) if code.strip().isdecimal() else 0
    if status != 200:  # noqa: PLR2004 (HTTP's OK)
        return Room(free, refused=_refusal(result, body, status), status=status)
    files = listed(body)
    if files is None:
        return Room(free, refused=f"its listing cannot be read: {body[:80]!r}", status=status)
    have = sum(size for name, size in files.items() if blobs.get(name) == size)
    total = sum(files.values())
    foreign = sum(size for name, size in blobs.items() if name not in files)
    return Room(free, total, total - have, foreign, status=status)


def _refusal(result: Result, body: str, status: int) -> str:
    if status:
        return f"answered {status} {body.strip()[:200]}".rstrip()
    return result.words or "did not answer"
