"""A tree checked against a model; what is wrong is said in an operator's words at its place."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.vocabulary import MEANING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pydantic_core import ErrorDetails

    from gonka_state.core.desired import Source
    from gonka_state.spec.problems import Problems
    from gonka_state.spec.tree import Node

M = TypeVar("M", bound=BaseModel)

ROUNDS = 50
_SECRET = re.compile(r"(?i)passw|passphrase|secret|token|mnemonic|private|^notify$")
_NOUNS = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def validate(model: type[M], root: Node, problems: Problems) -> M | None:
    """Check a tree against its words.

    Entries that are wrong are reported and left out, so that the rest can be looked at in the same run;
    None where nothing usable remains.
    """
    for attempt in range(ROUNDS):
        try:
            return model.model_validate(root.plain())
        except ValidationError as error:
            details = error.errors(include_url=False)
            if attempt == 0:  # what is found later is only missed because we left it out
                report(details, root, problems, model.model_json_schema())
            broken = {path for detail in details if (path := _broken(detail, root))}
            smaller = _without(root, broken)
            if (
                smaller is root
                or () in broken
                or len(broken) < len({_key(detail, root) for detail in details})
            ):
                return None
            root = smaller
    return None


def report(
    details: Sequence[ErrorDetails], root: Node, problems: Problems, schema: Mapping[str, Any]
) -> None:
    """Add pydantic's findings about a tree, those about one value as one."""
    groups: dict[tuple[str | int, ...], list[ErrorDetails]] = {}
    for detail in details:
        groups.setdefault(_key(detail, root), []).append(detail)
    for group in groups.values():
        problems.add(*_finding(group, root, schema))


def _finding(group: Sequence[ErrorDetails], root: Node, schema: Mapping[str, Any]) -> tuple[Source, str, str]:
    """Where to point, what to say, and what may have been meant."""
    first = group[0]
    path = _path(first, root)
    node = root.deepest(path)
    place = node.source if node.shape == "scalar" else node.where
    what, hint = "", ""
    match first["type"]:
        case "extra_forbidden":
            name = str(first["loc"][-1])
            place, what, hint = (
                node.where,
                f"unknown key {name!r}",
                did_you_mean(name, names_at(schema, path[:-1])),
            )
        case "missing":
            place, what = node.where, f"missing key {str(first['loc'][-1])!r}"
        case _ if "[key]" in first["loc"]:
            wrong = first.get("ctx", {}).get("error") or f"is not {_meaning(first)}"
            place, what = node.where, f"{path[-1]!r} {wrong}"
        case _:
            what, hint = _message(group, node)
    secret = next((at for at, part in enumerate(path) if _SECRET.search(str(part))), None)
    if secret is not None:
        # At the key: a line below it may hold the secret itself, whatever was meant by it.
        place = root.deepest(path[: secret + 1]).where
        what = "unknown key" if first["type"] == "extra_forbidden" else what
    return place, what, hint


def _path(detail: ErrorDetails, root: Node) -> tuple[str | int, ...]:
    """The part of an error's location that is in the tree: names of union members are not."""
    path: list[str | int] = []
    node = root
    for part in detail["loc"]:
        child = node.child(part)
        if child is not None:
            node = child
            path.append(part)
    return tuple(path)


def _key(detail: ErrorDetails, root: Node) -> tuple[str | int, ...]:
    path = _path(detail, root)
    return (*path, str(detail["loc"][-1])) if detail["type"] == "missing" else path


def _broken(detail: ErrorDetails, root: Node) -> tuple[str | int, ...]:
    """The nearest map entry to leave out; a list loses itself, not its item."""
    path = list(_path(detail, root))
    while path and isinstance(path[-1], int):
        path.pop()
    return tuple(path)


def _without(node: Node, paths: Iterable[tuple[str | int, ...]]) -> Node:
    for path in paths:
        node = _drop(node, path)
    return node


def _drop(node: Node, path: tuple[str | int, ...]) -> Node:
    if not path:
        return node
    head, *rest = path
    if isinstance(head, int):
        items = list(node.items or ())
        if head < len(items):
            items[head] = _drop(items[head], tuple(rest))
        return replace(node, items=tuple(items))
    entries = dict(node.entries or {})
    if head in entries:
        if rest:
            entries[head] = _drop(entries[head], tuple(rest))
        else:
            del entries[head]
    return replace(node, entries=entries)


def _message(group: Sequence[ErrorDetails], node: Node) -> tuple[str, str]:
    first = group[0]
    kind, context = first["type"], first.get("ctx", {})
    nouns = list(dict.fromkeys(_NOUNS[item["type"]] for item in group if item["type"] in _NOUNS))
    if nouns:
        return _wrong_type(nouns, node, secret=any(_SECRET.search(str(part)) for part in first["loc"])), ""
    match kind:
        case "literal_error":
            expected = str(context.get("expected", ""))
            return f"expected {expected}", did_you_mean(
                str(first["input"]), re.findall(r"'([^']*)'", expected)
            )
        case "too_short" | "string_too_short":
            what = "must not be empty"
        case "string_pattern_mismatch":
            what = f"is not {_meaning(first)}"
        case "value_error":
            what = str(context["error"])
        case _ if kind in _BOUNDS:
            words, key = _BOUNDS[kind]
            what = f"must be {words} {context[key]}"
        case _:
            what = first["msg"][:1].lower() + first["msg"][1:]
    return what, ""


def _meaning(detail: ErrorDetails) -> str:
    pattern = str(detail.get("ctx", {}).get("pattern", ""))
    return MEANING.get(pattern, f"of the form {pattern}")


def _wrong_type(nouns: list[str], node: Node, *, secret: bool) -> str:
    found = {"map": "a map", "list": "a list"}.get(node.shape)
    if found is None:
        word = "text" if isinstance(node.scalar, str) else "nothing" if node.scalar is None else "a number"
        if isinstance(node.scalar, bool):
            word = "true or false"
        found = word if secret or node.scalar is None else f"{word}: {node.raw}"
    expected = f"expected {' or '.join(nouns)}, found {found}"
    if "text" in nouns and node.shape == "scalar" and not isinstance(node.scalar, str):
        return f'{expected}; quote it: "{node.raw}"' if not secret and node.raw else f"{expected}; quote it"
    return expected


def names_at(schema: Mapping[str, Any], path: Sequence[str | int]) -> list[str]:
    """The keys that a JSON Schema knows at a path."""
    here = _variants(schema, schema)
    for part in path:
        here = [found for item in here for found in _step(item, part, schema)]
    return [name for item in here for name in item.get("properties", {})]


def _step(item: Mapping[str, Any], part: str | int, root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if isinstance(part, int):
        inner = item.get("items")
    else:
        inner = item.get("properties", {}).get(part) or item.get("additionalProperties")
        patterns = item.get("patternProperties")
        if not inner and isinstance(patterns, dict):
            inner = next(iter(patterns.values()), None)
    return _variants(inner, root) if isinstance(inner, dict) else []


def _variants(item: Mapping[str, Any], root: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A schema with its references followed and its alternatives spread out."""
    if "$ref" in item:
        return _variants(root["$defs"][item["$ref"].rpartition("/")[2]], root)
    branches = [*item.get("anyOf", ()), *item.get("oneOf", ()), *item.get("allOf", ())]
    return [item, *(found for branch in branches for found in _variants(branch, root))]
