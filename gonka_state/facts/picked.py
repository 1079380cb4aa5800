"""JSON that is too secret or too long to travel: the host prints the wanted values alone, one a line.

`pick` reads an HTTP answer and prints what an allow-list of paths names. Everything else, a private key
among it, never leaves the host; an answer that is no whole JSON prints nothing that was not named either. It is
POSIX awk, so that it works on a host without Python.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from gonka_state.errors import FactError
from gonka_state.facts.base import quote

ANSWERED = 4
"""`pick` ends with less where somebody answered at all: 0 for status 200, 3 for another."""

# A string of JSON has no quote in it but an escaped one: with the quote as the end of a record every second
# record is a string, and the ones between hold only structure and short words.
PICK = r"""
pick() {
  command -v curl >/dev/null || { echo 'curl is not installed' >&2; return 127; }
  curl -sS --max-time "$1" -w '\n%{http_code}' -- "$2" | KEEP="$3" FIRST="${4:-}" awk '
  function leaf(value,  path, i) {
    if (!depth) return
    path = key[1]
    for (i = 2; i <= depth; i++) path = path "\t" key[i]
    filled[depth] = 1
    if (path ~ keep) print first path "\t" value
  }
  function string(text) {
    if (!depth || text ~ /\n/) broken = 1
    else if (kind[depth] == "{" && naming[depth]) key[depth] = "\"" text "\""
    else leaf("\"" text "\"")
  }
  function close_one(open, pair,  empty) {
    if (!depth || kind[depth] != open) { broken = 1; return }
    empty = !filled[depth]
    if (depth == 1) size = open == "[" && !empty ? key[1] + 1 : 0
    depth--
    if (empty) leaf(pair); else if (depth) filled[depth] = 1
  }
  function word(text) {
    if (text == "{" || text == "[") {
      if (!depth) { if (root != "") broken = 1; root = text }
      kind[++depth] = text; filled[depth] = 0; naming[depth] = text == "{"; key[depth] = text == "[" ? 0 : ""
    } else if (text == "}") close_one("{", "{}")
    else if (text == "]") close_one("[", "[]")
    else if (text == ":") naming[depth] = 0
    else if (text == ",") { if (kind[depth] == "[") key[depth]++; else naming[depth] = 1 }
    else if (!depth) bare[++bares] = text
    else if (text ~ /^(-?[0-9][0-9.eE+-]*|true|false|null)$/) leaf(text)
    else broken = 1
  }
  BEGIN { RS = "\""; keep = ENVIRON["KEEP"]; first = ENVIRON["FIRST"] }
  { tail = $0 }
  inside {
    text = text $0
    if (match($0, /\\+$/) && RLENGTH % 2) { text = text "\""; next }
    string(text); text = ""; inside = 0; next
  }
  { gsub(/[][{},:]/, " & "); n = split($0, words, /[ \t\r\n]+/)
    for (i = 1; i <= n; i++) if (words[i] != "") word(words[i])
    inside = 1 }
  END {
    # What follows the last newline is the status; without a string or bracket around it, it is a bare word.
    code = match(tail, /\n[0-9][0-9][0-9]$/) ? substr(tail, RSTART + 1) : "000"
    if (root == "" && bares == 2 && bare[1] == "null") { root = "null"; bares = 1 }
    if (depth || text != "" || bares != 1) broken = 1
    print first "end " (broken ? "?" : root == "" ? "-" : root) " " size + 0 " " code
    exit code == "200" ? 0 : code == "000" ? 4 : 3
  }'
}
"""


@dataclass(frozen=True, slots=True)
class Picked:
    """One answer as far as it was wanted.

    `status` is HTTP's, 0 for no answer. `value` holds the wanted values in their places; an item of a list
    of which nothing was wanted is None. `whole` is false where the answer is no JSON, or was cut short.
    """

    status: int = 0
    whole: bool = False
    value: Any = None

    @property
    def error(self) -> str:
        """What the API says about an error, where `error` was among the wanted paths."""
        said = self.value
        while isinstance(said, dict) and "error" in said:
            said = said["error"]
        return " ".join(said.split())[:400] if isinstance(said, str) else ""


def wanted(*paths: str) -> str:
    """The allow-list for `pick`: paths such as `nodes/*/models/**`, one per value.

    `*` is any key or index, and a last `**` everything below, and the value itself.
    """
    return f"^({'|'.join(_pattern(path.split('/')) for path in paths)})$"


def _pattern(parts: list[str]) -> str:
    below = parts[-1] == "**"
    names = parts[:-1] if below else parts
    known = "\t".join("[^\t]*" if name == "*" else f'"{re.escape(name)}"' for name in names)
    return f"{known}(\t.*)?" if below else known


def pick(seconds: int, url: str, allowed: str) -> str:
    """The words of one call of `pick`, for a `part`."""
    return f"pick {seconds} {quote(url)} {quote(allowed)}"


def read(text: str) -> Picked:
    """Understand what `pick` printed.

    Raises:
        FactError: it was cut short.
    """
    *leaves, last = text.rstrip("\n").split("\n")
    words = last.split(" ")
    if len(words) != 4 or words[0] != "end" or not (words[2] + words[3]).isdecimal():  # noqa: PLR2004 (its four words)
        raise FactError(f"the answer ends with {last[:60]!r}: the look was cut short")
    _, root, size, status = words
    value: Any = {"{": {}, "[": [None] * int(size)}.get(root)
    try:
        for line in leaves:
            *path, literal = line.split("\t")
            value = _put(value, path, json.loads(literal))
    except (ValueError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise FactError(f"a picked value cannot be understood: {type(error).__name__}") from error
    return Picked(int(status), root not in {"?", "-"}, value)


def _put(into: Any, path: list[str], value: Any) -> Any:  # noqa: ANN401 (JSON)
    """`into` with a value at a path; keys are in quotes, indices bare."""
    if not path:
        return value
    head, *rest = path
    if head.startswith('"'):
        into = {} if into is None else into
        name = json.loads(head)
        into[name] = _put(into.get(name), rest, value)
        return into
    place = int(head)
    into = [] if into is None else into
    into.extend([None] * (place + 1 - len(into)))
    into[place] = _put(into[place], rest, value)
    return into
