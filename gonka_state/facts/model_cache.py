"""One model in a hub cache, and the verdict whether a revision of it is complete; pure values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core.units import human_bytes

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
TOKENIZERS = ("tokenizer", "tiktoken", "vocab")
"""What the files that turn text into tokens start with; which of them a model has is its own choice."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a model as the cache has it: `size` is None where a link leads nowhere.

    `disk` is what is allocated, in bytes; `identity` tells two links to one file.
    """

    size: int | None
    disk: int = 0
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """A file as the hub lists it; `blob` is its name under `blobs/`."""

    size: int
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Sum:
    """A checksum as it is on disk: `sha256`, or `git` for git's own; `blob` is what the content should be by name."""

    algorithm: str
    value: str
    blob: str = "-"


@dataclass(frozen=True, slots=True)
class Cached:
    """One model in one home. `snapshots` maps commits to their files by path; `blobs` by name.

    `trees` is the hub's own listing of a commit where the client kept it, `heads` the sizes that
    safetensors headers announce, `shards` the files that the weight index names, `refs` the commits that
    names such as `main` stand for, `offered` what the hub says of a commit that is not here at all,
    `sums` the checksums of its files, where they were computed.
    """

    snapshots: dict[str, dict[str, Entry]] = field(default_factory=dict)
    blobs: dict[str, Entry] = field(default_factory=dict)
    unfinished: dict[str, Entry] = field(default_factory=dict)
    trees: dict[str, dict[str, Expected]] = field(default_factory=dict)
    heads: dict[str, dict[str, int]] = field(default_factory=dict)
    shards: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    offered: dict[str, dict[str, int]] = field(default_factory=dict)
    sums: dict[str, dict[str, list[Sum]]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Bytes on disk, each file counted once however many revisions link to it."""
        groups = [*self.snapshots.values(), self.blobs, self.unfinished]
        found = {entry.identity: entry.size or 0 for group in groups for entry in group.values()}
        return sum(found.values())

    def size_of(self, commit: str, *, besides: str = "") -> int:
        """Bytes of one revision; `besides` leaves out what that other revision also links to."""
        shared = {entry.identity for entry in self.snapshots.get(besides, {}).values()}
        entries = self.snapshots.get(commit, {}).values()
        found = {entry.identity: entry.size or 0 for entry in entries if entry.identity not in shared}
        return sum(found.values())


@dataclass(frozen=True, slots=True)
class ModelsState:
    """Every model by home and id, homes whose disk is not mounted, and our download units.

    `units` maps a unit's slug to its sub-state (`running`, `exited`, `failed`), `free` a home to the bytes
    that are free there.
    """

    homes: dict[str, dict[str, Cached]]
    unmounted: dict[str, str]
    unreadable: dict[str, str]
    units: dict[str, str]
    free: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file whose size is not what the hub or its own header says, in bytes."""

    path: str
    size: int
    expected: int

    def __str__(self) -> str:
        return f"blob truncated: {self.path} {of(self.size, self.expected)}"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A file of the right size whose bytes are not what its name or the hub says."""

    path: str
    size: int

    def __str__(self) -> str:
        return f"wrong bytes: {self.path}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one revision lacks. `have`, `total` and `left` (to be fetched) are bytes.

    Where nobody knows the total it is 0, and `left` means nothing. `damaged` and `unverified` (no checksum is
    known, or none was computed) only after a look at the contents.
    """

    missing: tuple[str, ...] = ()
    truncated: tuple[Truncated, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    unverified: tuple[str, ...] = ()
    have: int = 0
    total: int = 0
    left: int = 0

    @property
    def complete(self) -> bool:
        """True when every byte that must be there is there."""
        return not (self.missing or self.truncated or self.damaged)

    @property
    def bytes(self) -> str:
        """How far it is: `12.3 of 33.1 GB`, or only what is there."""
        return of(self.have, self.total) if self.total else human_bytes(self.have)


def judge(model: Cached, commit: str) -> Verdict:
    """Whether a revision is complete, by the hub's listing of it, else by index and file headers."""
    tree = model.trees.get(commit)
    entries = model.snapshots.get(commit, {})
    sizes = {path: item.size for path, item in tree.items()} if tree else model.heads.get(commit, {})
    required = set(tree) if tree else {CONFIG, *_tokenizer(entries), *_weights(model, commit)}
    required.update(model.shards.get(commit, ()))
    missing, truncated, have = list[str](), list[Truncated](), 0
    for path in sorted(required):
        entry = entries.get(path)
        if entry is None or entry.size is None:
            missing.append(path)
        elif path in sizes and entry.size != sizes[path]:
            truncated.append(Truncated(path, entry.size, sizes[path]))
        else:
            have += entry.size
    damaged, unverified = _contents(model, commit, {bad.path for bad in truncated})
    left = sum(sizes.get(path, 0) for path in missing) + sum(bad.expected for bad in truncated)
    return Verdict(
        tuple(missing),
        tuple(truncated),
        tuple(damaged),
        tuple(unverified),
        have,
        sum(sizes.values()) if tree else 0,
        left + sum(bad.size for bad in damaged),
    )


def _contents(model: Cached, commit: str, without: Container[str]) -> tuple[list[Damaged], list[str]]:
    """Files with wrong bytes, and those about which nothing can be said; none before a look at the contents."""
    sums = model.sums.get(commit)
    damaged, unverified = list[Damaged](), list[str]()
    if sums is None:
        return damaged, unverified
    for path, entry in sorted(model.snapshots.get(commit, {}).items()):
        if entry.size is None or path in without:
            continue
        good = _matches(model.trees.get(commit, {}).get(path), sums.get(path, []))
        if good is None:
            unverified.append(path)
        elif not good:
            damaged.append(Damaged(path, entry.size))
    return damaged, unverified


def _matches(listed: Expected | None, sums: Sequence[Sum]) -> bool | None:
    """Whether a file is what it should be; None where no checksum of it is known."""
    for found in sums:
        wanted = listed.blob if listed is not None else found.blob
        if len(wanted) == len(found.value):
            return wanted == found.value
    return None


def to_fetch(model: Cached, commit: str) -> int | None:
    """Bytes of a commit that are not here yet; None where nobody could tell."""
    if commit in model.snapshots:
        verdict = judge(model, commit)
        return verdict.left if verdict.total else None
    files = model.offered.get(commit)
    if files is None:
        return None
    return sum(size for blob, size in files.items() if model.blobs.get(blob, Entry(None)).size != size)


def folder(model: str) -> str:
    """The cache folder of a model id: `Qwen/Qwen3-32B-FP8` → `models--Qwen--Qwen3-32B-FP8`."""
    return "models--" + model.replace("/", "--")


def slug(model: str) -> str:
    """A model id as part of a unit's name: `Qwen/Qwen3-32B-FP8` → `Qwen--Qwen3-32B-FP8`."""
    return model.replace("/", "--")


def of(have: int, total: int) -> str:
    """Two sizes with one unit where they share it: `12.3 of 33.1 GB`."""
    left, right = human_bytes(have), human_bytes(total)
    number, _, unit = left.partition(" ")
    return f"{number} of {right}" if right.endswith(f" {unit}") else f"{left} of {right}"


def _tokenizer(entries: dict[str, Entry]) -> set[str]:
    found = {path for path in entries if path.startswith(TOKENIZERS)}
    return found or {TOKENIZER}


def _weights(model: Cached, commit: str) -> set[str]:
    return {INDEX} if INDEX in model.snapshots.get(commit, {}) else {SINGLE}
