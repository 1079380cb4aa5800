"""One model in a hub cache, and the verdict whether a revision of it is complete; pure values."""

from __future__ import annotations

from dataclasses import dataclass, field

from gonka_state.core.units import human_bytes

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
class Cached:
    """One model in one home. `snapshots` maps commits to their files by path; `blobs` by name.

    `trees` is the hub's own listing of a commit where the client kept it, `heads` the sizes that
    safetensors headers announce, `shards` the files that the weight index names.
    """

    snapshots: dict[str, dict[str, Entry]] = field(default_factory=dict)
    blobs: dict[str, Entry] = field(default_factory=dict)
    unfinished: dict[str, Entry] = field(default_factory=dict)
    trees: dict[str, dict[str, Expected]] = field(default_factory=dict)
    heads: dict[str, dict[str, int]] = field(default_factory=dict)
    shards: dict[str, tuple[str, ...]] = field(default_factory=dict)

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

    `units` maps a unit's slug to its sub-state (`running`, `exited`, `failed`).
    """

    homes: dict[str, dict[str, Cached]]
    unmounted: dict[str, str]
    unreadable: dict[str, str]
    units: dict[str, str]


@dataclass(frozen=True, slots=True)
class Truncated:
    """A file whose size is not what the hub or its own header says, in bytes."""

    path: str
    size: int
    expected: int

    def __str__(self) -> str:
        return f"blob truncated: {self.path} {of(self.size, self.expected)}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one revision lacks. `have` and `total` are bytes; `total` is 0 where nobody knows it."""

    missing: tuple[str, ...] = ()
    truncated: tuple[Truncated, ...] = ()
    have: int = 0
    total: int = 0

    @property
    def complete(self) -> bool:
        """True when every byte that must be there is there."""
        return not (self.missing or self.truncated)

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
    return Verdict(tuple(missing), tuple(truncated), have, sum(sizes.values()) if tree else 0)


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
