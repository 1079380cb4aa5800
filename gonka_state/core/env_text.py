"""Files of `export NAME=value` lines, as sh and docker compose read them alike.

The two readers differ in what they make of backslashes, of text beside a quoted piece, and of everything
sh would act on. What is written here is read the same by both, and what is read here is only what both
understand the same; `facts/env_file.py` holds the same rules in awk, for the host's side.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = r"[A-Za-z_][A-Za-z0-9_]*"

_ASSIGNMENT = re.compile(rf"[ \t]*(?:export[ \t]+)?({NAME})=(.*)", re.DOTALL)
_IDLE = re.compile(r"[ \t]*(#.*)?")
# \0 is what a placeholder of core.masking begins and ends with.
_BARE = r"[^\x01-\x20\x7f;&|<>()$`\\\"'~*?\[{}]*"
_SINGLE = r"'(?:[^'\x01-\x1f\x7f]*[^'\\\x01-\x1f\x7f])?'"
_DOUBLE = r"\"[^\"$`\\\x01-\x1f\x7f]*\""
# To compose a comment begins behind a blank, not behind a tab, and not where the value is empty.
_VALUE = re.compile(rf"({_SINGLE}|{_DOUBLE}|{_BARE})[ \t]*( #.*)?")


@dataclass(frozen=True, slots=True)
class Assignment:
    """One variable's line, from 1; `value` is None where sh and compose do not read it alike."""

    line: int
    name: str
    value: str | None


def read(text: str) -> Iterator[Assignment]:
    """Every line that is not empty or a comment; one that sets nothing has an empty name."""
    for number, line in enumerate(text.split("\n"), 1):
        if _IDLE.fullmatch(line):
            continue
        found = _ASSIGNMENT.fullmatch(line)
        yield Assignment(number, found[1], _value(found[2])) if found else Assignment(number, "", None)


def _value(text: str) -> str | None:
    found = _VALUE.fullmatch(text)
    if found is None or (not found[1] and found[2]):
        return None
    return found[1][1:-1] if found[1][:1] in {"'", '"'} else found[1]


def written(value: str) -> str:
    """A value as it stands behind `NAME=`.

    Raises:
        ValueError: sh and compose would read it differently; the message does not show it.
    """
    for form in (value, f"'{value}'", f'"{value}"'):
        if "\0" not in value and _value(form) == value:
            return form
    raise ValueError(
        "holds what the shell and compose read differently (a control character, a backslash at its end, "
        'or a single quote together with one of " $ ` and a backslash): choose another'
    )
