"""Everything that is wrong with the input, collected so that it can be said at once."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from gonka_state.core.desired import Source
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonka_state.spec.tree import Node

LONGEST_LINE = 160
CLOSE = 0.6
# A reference holds no secret itself and is worth showing.
_SECRET_VALUE = re.compile(
    r"(?i)([\w.-]*(?:passw|passphrase|secret|token|mnemonic|private|ssh_key)[\w.-]*[\"']?\s*:\s*)"
    r"(?!\{\s*(?:env|file|command)\b)\S.*"
)
# Here an URL is easily put where a reference to it belongs.
_URL_VALUE = re.compile(r"(?i)\b((?:notify|urls)[\"']?\s*:\s*)\S.*")
_IN_URL = re.compile(r"(://[^/@\s:]*:)[^/@\s]+@")
_SECRET_BELOW = re.compile(
    r"(?i)(?:passw|passphrase|secret|token|mnemonic|private|ssh_key|urls)[\w.-]*[\"']?\s*:\s*[|>]?[+-]?\s*$"
)


def nearest(word: str, choices: Iterable[str]) -> str:
    """A valid name that the operator may have meant, or an empty text."""
    known = sorted(set(choices))
    by_fold = {choice.casefold(): choice for choice in known}
    found = difflib.get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=CLOSE)
    return by_fold[found[0]] if found else ""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """The question after a problem's line; nothing where no valid name is near."""
    name = nearest(word, choices)
    return f"did you mean {name!r}?" if name and name != word else ""


class Problems:
    """Collects problems with their place. Files are registered so that their lines can be shown."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}
        self._found: dict[tuple[str, int, int, str], str] = {}

    def __bool__(self) -> bool:
        return bool(self._found)

    def register(self, file: str, text: str) -> None:
        """Remember a file's text for showing lines of it."""
        self._lines[file] = re.split(r"\r\n|\r|\n", text)

    def add(self, where: Source | str, what: str, hint: str = "") -> None:
        """Add one problem; the same one at the same place is kept once."""
        source = where if isinstance(where, Source) else Source(where, 0, 0)
        self._found.setdefault((source.file, source.line, source.column, what), hint)

    def inside(self, node: Node) -> bool:
        """True where something in a value has a problem already: what follows from that need not be said."""
        places = {Source(file, line, column) for file, line, column, _ in self._found}
        return any(part.where in places or part.source in places for part in node.walk())

    def rendered(self) -> list[str]:
        """All problems in the order of files and lines, one text each."""
        return [self._render(*key, hint) for key, hint in sorted(self._found.items())]

    def check(self) -> None:
        """Raise everything collected so far.

        Raises:
            InputError: there is at least one problem.
        """
        if self._found:
            raise InputError(self.rendered())

    def _render(self, file: str, line: int, column: int, what: str, hint: str) -> str:
        place = f"{file}:{line}:{column}" if line else file
        shown = self._line(file, line)
        return "\n".join([f"{place}: {what}", *(f"    {text}" for text in (shown, hint) if text)])

    def _line(self, file: str, line: int) -> str:
        lines = self._lines.get(file, [])
        if not 0 < line <= len(lines):
            return ""
        masked = _IN_URL.sub(r"\1<secret>@", lines[line - 1].strip())
        masked = _SECRET_VALUE.sub(r"\1<secret>", masked)
        masked = _URL_VALUE.sub(r"\1<secret>", masked)
        if line > 1 and _SECRET_BELOW.search(lines[line - 2]):
            masked = "<secret>"
        text = "".join(char if char.isprintable() else "�" for char in masked)
        return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
