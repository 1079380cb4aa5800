"""Files joined to clusters: which files are clusters, what they extend, which overlays lie on top."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.spec.merge import merge
from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.tree import Node, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.desired import Source
    from gonka_state.spec.problems import Problems

MAX_FILES = 200


def beside(source: Source, text: str, env: Mapping[str, str]) -> Path:
    """An absolute path from one written in a file: relative to that file, `~` is the user's home.

    Raises:
        ValueError: `~name` names nobody.
    """
    if text.startswith("~"):
        user, _, rest = text[1:].partition("/")
        try:
            home = env.get("HOME") if not user else None
            entry = pwd.getpwnam(user) if user else None
            home = home or (entry or pwd.getpwuid(os.getuid())).pw_dir
        except KeyError:
            raise ValueError(f"no user {user or os.getuid()!r} on this machine") from None
        return Path(home) / rest
    return Path(os.path.abspath(Path(source.file).parent / text))  # noqa: PTH100  (resolve() would follow links)


@dataclass(frozen=True, slots=True)
class Layered:
    """One cluster with everything it extends and all its overlays merged; nulls are still in it."""

    name: str
    file: str
    tree: Node


@dataclass(slots=True)
class Layers:
    """Reads files, each once."""

    problems: Problems
    env: Mapping[str, str]
    _read: dict[str, Node | None] = field(default_factory=dict)

    def clusters(self, paths: Sequence[Path], overlays: Sequence[Path]) -> list[Layered]:
        """Every cluster that the paths hold, in the order given."""
        files: dict[str, bool] = {}
        for path in paths:
            if os.path.isdir(path):  # noqa: PTH112 (Path raises where it may not look)
                found = sorted(str(file) for file in path.glob("*.yaml") if not file.name.startswith("."))
                if not any(self._names_cluster(file) for file in found) and not self.problems:
                    self.problems.add(str(path), "holds no cluster: no *.yaml in it has a `cluster:` key")
                files |= {file: False for file in found if file not in files}
            else:
                files[str(path)] = True
        clusters: dict[str, Layered] = {}
        for file, named in files.items():
            self._add(file, clusters, must=named)
        for path in overlays:
            self._overlay(str(path), clusters)
        return list(clusters.values())

    def _names_cluster(self, file: str) -> bool:
        root = self._file(file)
        return root is not None and root.get("cluster") is not None

    def _add(self, file: str, clusters: dict[str, Layered], *, must: bool) -> None:
        tree = self._file(file)
        if tree is None:
            return
        name = tree.get("cluster")
        if name is None:
            if must:
                what = "declares no `cluster:`, so it is no cluster; give a file that extends it"
                self.problems.add(tree.source, what)
            return
        label = name.scalar if isinstance(name.scalar, str) else name.raw
        if label in clusters:
            self.problems.add(name.source, f"cluster {label!r} is also declared in {clusters[label].file}")
            return
        clusters[label] = Layered(label, file, self._extended(tree, (file,)))

    def _overlay(self, file: str, clusters: dict[str, Layered]) -> None:
        tree = self._file(file)
        if tree is None:
            return
        name = tree.get("cluster")
        if name is None or not isinstance(name.scalar, str):
            self.problems.add(tree.source, "an overlay must name its cluster: `cluster: NAME`")
            return
        below = clusters.get(name.scalar)
        if below is None:
            what = f"overlay of cluster {name.scalar!r}, which is not loaded"
            self.problems.add(name.source, what, did_you_mean(name.scalar, clusters))
            return
        tree = merge(below.tree, self._extended(tree, (file,)))
        clusters[name.scalar] = Layered(below.name, below.file, tree)

    def _file(self, file: str) -> Node | None:
        """A file's top map, or None after a problem."""
        if file not in self._read:
            root = read(Path(file), file, self.problems)
            if root is not None and root.entries is None:
                self.problems.add(root.source, f"expected a map at the top, found a {root.shape}")
                root = None
            self._read[file] = root
        return self._read[file]

    def _extended(self, tree: Node, chain: tuple[str, ...]) -> Node:
        """A file laid over what it extends; `chain` are the files that led here."""
        wanted = tree.get("extends")
        own = Node(tree.source, entries={k: v for k, v in (tree.entries or {}).items() if k != "extends"})
        if wanted is None or wanted.empty:
            return own
        base: Node | None = None
        for item in (wanted,) if wanted.items is None else wanted.items:
            layer = self._base(item, chain)
            if layer is not None:
                base = layer if base is None else merge(base, layer)
        return own if base is None else merge(base, own)

    def _base(self, item: Node, chain: tuple[str, ...]) -> Node | None:
        if not isinstance(item.scalar, str):
            self.problems.add(item.source, "extends: expected a file's name or a list of them")
            return None
        file = _shown(item, self.env)
        if any(_same(file, other) for other in chain):
            self.problems.add(item.source, f"extends goes in a circle: {' -> '.join((*chain, file))}")
            return None
        if len(chain) >= MAX_FILES:
            self.problems.add(item.source, "extends is too deep")
            return None
        if not Path(file).exists():
            near = did_you_mean(item.scalar, (path.name for path in Path(file).parent.glob("*.yaml")))
            self.problems.add(item.source, f"extends {item.scalar!r}: there is no such file", near)
            return None
        tree = self._file(file)
        return None if tree is None else self._extended(tree, (*chain, file))


def _shown(item: Node, env: Mapping[str, str]) -> str:
    """The extended file's path in the form in which the extending one was given."""
    text = str(item.scalar)
    if text.startswith("~"):
        try:
            return str(beside(item.source, text, env))
        except ValueError:
            return text
    return os.path.normpath(Path(item.source.file).parent / text)


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
