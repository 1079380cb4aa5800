"""Asking an Admin API for its whole list, as a step must: what is not ours goes back with a change as it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError

if TYPE_CHECKING:
    from gonka_state.facts.base import Part

NODES = "/admin/v1/nodes"

ASK = r"""
ask() { curl -sS --max-time "$1" -w '\n%{http_code}' -- "$2"; }
"""

_ERROR_LENGTH = 400
_NONSENSE_LENGTH = 80


def read_answer(part: Part) -> tuple[int, str]:
    """The HTTP status, 0 when there was no answer, and the body of one request."""
    body, _, code = part.text.rstrip("\n").rpartition("\n")
    return (int(code) if code.isdigit() else 0), body


def words_of(body: str) -> str:
    """What an API says about an error: its `error` text, else the start of the body."""
    try:
        said = json.loads(body)
    except ValueError:
        return " ".join(body.split())[:_NONSENSE_LENGTH]
    while isinstance(said, dict) and "error" in said:
        said = said["error"]
    text = said if isinstance(said, str) else json.dumps(said)
    return " ".join(text.split())[:_ERROR_LENGTH]


def read_nodes(body: str) -> tuple[dict[str, Any], ...]:
    """The list as the API gives it.

    Raises:
        FactError: it is no list of objects with a `node` each.
    """
    try:
        entries = json.loads(body)
    except ValueError as error:
        raise FactError("something that is no JSON") from error
    if entries is None:  # Go's empty list
        return ()
    if not isinstance(entries, list) or not all(is_entry(entry) for entry in entries):
        raise FactError("something that is no list of nodes")
    return tuple(entries)


def is_entry(entry: object) -> bool:
    """Whether an item of the list has a node's configuration in it."""
    return isinstance(entry, dict) and isinstance(entry.get("node"), dict)
