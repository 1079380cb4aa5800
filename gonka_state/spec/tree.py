"""YAML read into values that know their file, line and column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from gonka_state.core.desired import Source
from gonka_state.errors import said_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gonka_state.spec.problems import Problems

Scalar: TypeAlias = str | int | float | bool | None
Plain: TypeAlias = "Scalar | list[Plain] | dict[str, Plain]"

MAX_BYTES = 2**20
MAX_VALUES = 200_000
MAX_DEPTH = 60

_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq")
}
_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"(true|True|TRUE)|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,30}|0o[0-7]{1,30}|0x[0-9a-fA-F]{1,30}")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)


@dataclass(frozen=True, slots=True)
class Node:
    """A value of a file. Exactly one of `entries`, `items` and `scalar` is meant, as `shape` says.

    `source` is where the value starts, `key` where its name in the enclosing map stands; `raw` is a
    scalar's spelling. `unsets` marks a null that has taken something of a lower layer away.
    """

    source: Source
    scalar: Scalar = None
    entries: dict[str, Node] | None = None
    items: tuple[Node, ...] | None = None
    key: Source | None = None
    raw: str = ""
    unsets: bool = False

    @property
    def shape(self) -> str:
        """map, list, or scalar."""
        if self.entries is not None:
            return "map"
        return "scalar" if self.items is None else "list"

    @property
    def where(self) -> Source:
        """The place to point at when this entry as a whole is wrong: its key, else its value."""
        return self.key or self.source

    @property
    def empty(self) -> bool:
        """True for `null`, which unsets."""
        return self.entries is None and self.items is None and self.scalar is None

    def get(self, name: str) -> Node | None:
        """An entry of a map."""
        return None if self.entries is None else self.entries.get(name)

    def child(self, part: str | int) -> Node | None:
        """An entry of a map or an item of a list."""
        if isinstance(part, str):
            return self.get(part)
        return self.items[part] if self.items is not None and part < len(self.items) else None

    def deepest(self, path: Sequence[str | int]) -> Node:
        """Follow a path as far as it goes; parts that are not there are passed over."""
        node = self
        for part in path:
            node = node.child(part) or node
        return node

    def plain(self) -> Plain:
        """The value without its places."""
        if self.entries is not None:
            return {name: node.plain() for name, node in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.scalar

    def walk(self) -> Iterator[Node]:
        """This value and everything in it."""
        yield self
        for node in (self.entries or {}).values():
            yield from node.walk()
        for node in self.items or ():
            yield from node.walk()


def read(path: Path, shown: str, problems: Problems) -> Node | None:
    """Read one file; every problem is collected, and None returned when nothing can be used."""
    text = read_text(path, shown, problems)
    return None if text is None else parse(text, shown, problems)


def read_text(path: Path, shown: str, problems: Problems, what: str = "cluster file") -> str | None:
    """The text of a file of the operator's, bounded; `what` is the kind of file that was expected."""
    try:
        if path.is_dir():
            problems.add(shown, "is a directory; give a file")
            return None
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        problems.add(shown, f"cannot be read: {said_by(error)}")
        return None
    if len(data) > MAX_BYTES:
        problems.add(shown, f"is larger than {MAX_BYTES // 2**20} MiB; that is no {what}")
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.add(Source(shown, line, 1), f"is not UTF-8: byte {data[error.start]:#04x}")
        return None


def parse(text: str, shown: str, problems: Problems) -> Node | None:
    """Read YAML from a text; `shown` is the file's name in messages."""
    problems.register(shown, text)
    yaml = YAML(typ="rt", pure=True)
    yaml.composer.warn_double_anchors = False
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        problems.add(_mark(shown, error), _syntax(error))
        return None
    except ReaderError as error:
        at = error.position if isinstance(error.position, int) else 0
        place = Source(shown, text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1)
        problems.add(place, "a control character is not allowed in YAML")
        return None
    except RecursionError:
        problems.add(shown, "is nested too deeply")
        return None
    except Exception as error:  # noqa: BLE001  (whatever the parser trips over is the file's fault)
        problems.add(shown, f"cannot be read as YAML: {type(error).__name__}")
        return None
    if root is None:
        problems.add(shown, "is empty")
        return None
    return _Builder(shown, problems).build(root)


def _mark(shown: str, error: MarkedYAMLError) -> Source:
    mark = error.problem_mark or error.context_mark
    return Source(shown, mark.line + 1, mark.column + 1) if mark else Source(shown, 1, 1)


def _syntax(error: MarkedYAMLError) -> str:
    problem = (error.problem or "cannot be understood").strip()
    if "'\\t'" in problem or '"\\t"' in problem:
        return "a tab cannot indent YAML; use spaces"
    if "found another document" in problem:
        return "a second document begins here; one file is one cluster, so it needs a file of its own"
    context = f" {error.context.strip()}" if error.context else ""
    return f"not YAML: {problem}{context}".splitlines()[0]


@dataclass(slots=True)
class _Builder:
    """Turns composed nodes into our own, bounded: an alias may stand for the same value many times."""

    shown: str
    problems: Problems
    count: int = 0
    full: bool = field(default=False)

    def build(self, root: object) -> Node | None:
        node = self._node(root, None, 0)
        return None if self.full else node

    def _node(self, node: object, key: Source | None, depth: int) -> Node:
        place = self._place(node)
        self.count += 1
        if self.count > MAX_VALUES or depth > MAX_DEPTH:
            if not self.full:
                what = "is nested too deeply" if depth > MAX_DEPTH else "stands for too many values (aliases)"
                self.problems.add(place, what)
            self.full = True
        if self.full:
            return Node(place, key=key)
        tag = str(getattr(node, "tag", ""))
        if tag not in _TAGS:
            self.problems.add(
                key or place, f"tags such as {tag.removeprefix('tag:yaml.org,2002:')!r} are not supported"
            )
        if isinstance(node, MappingNode):
            return Node(place, entries=self._entries(node, depth), key=key)
        if isinstance(node, SequenceNode):
            return Node(place, items=tuple(self._node(item, None, depth + 1) for item in node.value), key=key)
        raw = str(getattr(node, "value", ""))
        quoted = not isinstance(node, ScalarNode) or node.style is not None
        return Node(place, scalar=raw if quoted else resolve(raw), key=key, raw=raw)

    def _entries(self, node: MappingNode, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for name, value in node.value:
            where = self._place(name)
            if not isinstance(name, ScalarNode):
                self.problems.add(where, "a key must be text; quote it, a template's braces too")
                continue
            if name.value == "<<" and name.style is None:
                self.problems.add(where, "merge keys (<<) are not part of YAML 1.2; use extends or roles")
                continue
            if name.value in entries:
                first = entries[name.value].where.line
                self.problems.add(where, f"key {name.value!r} is given twice; the first is in line {first}")
                continue
            entries[name.value] = self._node(value, where, depth + 1)
        return entries

    def _place(self, node: object) -> Source:
        mark = getattr(node, "start_mark", None)
        return Source(self.shown, mark.line + 1, mark.column + 1) if mark else Source(self.shown, 1, 1)


def resolve(raw: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2: `yes` and `0b1` and dates are text."""
    if _NULL.fullmatch(raw):
        return None
    if match := _BOOL.fullmatch(raw):
        return match[1] is not None
    if _INT.fullmatch(raw):
        return int(raw, {"0o": 8, "0x": 16}.get(raw[:2], 10))
    if _FLOAT.fullmatch(raw):
        return float(raw.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return raw
