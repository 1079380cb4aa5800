"""What every command of the stand-in `inferenced` shares: words and flags in any order, and prompts.

What is asked, and where the answer is read from: gonka-contract 6.1 and 6.3.
"""

from __future__ import annotations

import getpass
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SWITCHES = {"recover", "no-backup", "address", "pubkey", "yes"}
"""Flags without a value."""
SHORT = {"a": "address", "p": "pubkey", "y": "yes", "o": "output", "n": "node"}
LEAST_PASSWORD = 8


class Failed(Exception):  # noqa: N818 (a command's end, not a fault of ours)
    """The command ends with exit status 1 and this line."""


@dataclass
class Line:
    """One command line, taken apart. `command` is its longest known beginning, `words` what follows."""

    command: str
    words: list[str]
    flags: dict[str, str] = field(default_factory=dict)

    def word(self, what: str) -> str:
        """The only word.

        Raises:
            Failed: there are none or several.
        """
        if len(self.words) != 1:
            raise Failed(f"accepts 1 arg(s), received {len(self.words)}: {what}")
        return self.words[0]

    def flag(self, name: str, default: str = "") -> str:
        """A flag's value, or the default where it is not given."""
        return self.flags.get(name, default)

    def on(self, name: str) -> bool:
        """Whether a switch is given."""
        return self.flags.get(name) == "true"

    @property
    def home(self) -> Path:
        """`--home`, else where the real program keeps its own."""
        return Path(self.flag("home")) if self.flag("home") else Path.home() / ".inference"


def parse(argv: Sequence[str], commands: Collection[str]) -> Line:
    """Take a command line apart.

    Raises:
        Failed: no known command, or a flag without its value.
    """
    words: list[str] = []
    flags: dict[str, str] = {}
    rest = list(argv)
    while rest:
        item = rest.pop(0)
        if not item.startswith("-") or item == "-":
            words.append(item)
            continue
        name, equals, value = item.lstrip("-").partition("=")
        name = SHORT.get(name, name)
        if not equals and name in SWITCHES:
            value = "true"
        elif not equals:
            if not rest:
                raise Failed(f"flag needs an argument: --{name}")
            value = rest.pop(0)
        flags[name] = value
    for length in range(len(words), 0, -1):
        if " ".join(words[:length]) in commands:
            return Line(" ".join(words[:length]), words[length:], flags)
    raise Failed(f'unknown command "{" ".join(words)}" for "inferenced"')


def ask(prompt: str) -> str:
    """One line of standard input, trimmed; the prompt is shown only to a terminal, on stderr.

    Raises:
        Failed: the input has ended.
    """
    if sys.stdin.isatty():
        sys.stderr.write(prompt)
        sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise Failed("EOF")
    return line.strip()


def ask_password(prompt: str) -> str:
    """A passphrase, without an echo on a terminal.

    Raises:
        Failed: the input has ended, or it is too short.
    """
    word = getpass.getpass(prompt, sys.stderr) if sys.stdin.isatty() else ask(prompt)
    if len(word) < LEAST_PASSWORD:
        raise Failed(f"password must be at least {LEAST_PASSWORD} characters")
    return word


def say(text: object = "") -> None:
    """A line on standard output."""
    sys.stdout.write(f"{text}\n")


def complain(text: object = "") -> None:
    """A line on stderr."""
    sys.stderr.write(f"{text}\n")
