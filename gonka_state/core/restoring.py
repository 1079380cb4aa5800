"""What a restore would do on a host, and why it must not: decided from what the host and the chain told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CONSENSUS = "consensus-key"
CONFIGURATION = "configuration"
KEPT_APART = "tmkms makes a new one, and gonka-state diff prints the command that registers it"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One snapshot of a cluster. `size` is None where it was taken by somebody else's restic."""

    id: str
    time: float
    host: str
    paths: tuple[str, ...]
    size: int | None = None

    @classmethod
    def told(cls, item: Mapping[str, Any]) -> Snapshot:
        """From what the program on the host says."""
        return cls(item["id"], item["time"], item["host"], tuple(item["paths"]), item["bytes"])


@dataclass(frozen=True, slots=True)
class RestoredFile:
    """One file of a snapshot. `now` is what is in its place: `missing`, `same` or `differs`."""

    what: str
    path: str
    now: str


@dataclass(frozen=True, slots=True)
class Restore:
    """A snapshot beside a host. `key` is the consensus key in it, as the chain knows it; `wanted` what to bring back."""

    files: tuple[RestoredFile, ...]
    running: tuple[str, ...]
    key: str
    key_file: str
    wanted: frozenset[str]

    @classmethod
    def told(cls, answer: Mapping[str, Any], key_file: str, *, consensus: bool) -> Restore:
        """From what the program on the host says; the consensus key is brought back only where `consensus`."""
        files = tuple(RestoredFile(item["what"], item["path"], item["now"]) for item in answer["files"])
        wanted = {item.what for item in files} - (set() if consensus else {CONSENSUS})
        return cls(files, tuple(answer["running"]), answer["consensus_key"], key_file, frozenset(wanted))

    @property
    def missing(self) -> tuple[RestoredFile, ...]:
        """What would be put in its place."""
        return tuple(item for item in self.files if item.what in self.wanted and item.now == "missing")

    @property
    def brings_consensus(self) -> bool:
        """Whether a signer would get its key back."""
        return any(item.path == self.key_file for item in self.missing)

    @property
    def live(self) -> tuple[RestoredFile, ...]:
        """Keys and databases that are here and are other ones. Of the signer only its key counts: its state moves on."""
        return tuple(
            item
            for item in self.files
            if item.what in self.wanted - {CONFIGURATION}
            and item.now == "differs"
            and (item.what != CONSENSUS or item.path == self.key_file)
        )

    def refused(self) -> tuple[str, str]:
        """Why nothing may be restored, and what to do; both empty where it may."""
        if self.live:
            names = ", ".join(item.path for item in self.live)
            return f"other keys live here and are never overwritten: {names}", (
                "a snapshot is restored onto a host that has none; what was made by accident is moved away by hand, and kept"
            )
        if self.running:
            names = " and ".join(self.running)
            return f"{names} run here, and would be given keys while they do", (
                "stop them first: docker stop " + " ".join(self.running) + ", on this host"
            )
        if self.brings_consensus and not self.key:
            return (
                "the snapshot does not tell which consensus key it has, so nobody can ask the chain about it",
                (f"leave out --allow consensus-key: {KEPT_APART}"),
            )
        return "", ""


def signs_still(height: int, signed: Sequence[int], asked: int) -> str:
    """Why a consensus key may not come back while the chain sees its signatures; empty where it sees none."""
    if not signed:
        return ""
    return (
        f"a signer with this consensus key is alive: the chain has its signature in block {max(signed)}, "
        f"{height - max(signed)} blocks ago ({len(signed)} of the last {asked})"
    )
