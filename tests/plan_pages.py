"""The documents that lay the deployment plan beside this program: their tables, and whether what these name exists."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import click
from ruamel.yaml import YAML

from gonka_state.cli import group

ROOT = Path(__file__).parents[1]
DEVIATIONS = ROOT / "docs/deviations.md"
TO = "\N{EN DASH}"


def lines_of(text: str) -> range:
    """A line, or the first and the last of several."""
    first, _, last = text.partition(TO)
    return range(int(first), int(last or first) + 1)


def table(path: Path) -> list[list[str]]:
    """The cells of all rows of all tables that begin with a line of the plan."""
    rows = [line for line in path.read_text().splitlines() if re.match(r"\| \d", line)]
    return [
        [cell.strip() for cell in row.strip().removeprefix("|").removesuffix("|").split("|")] for row in rows
    ]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def named(text: str) -> list[click.Command]:
    """The command that these words call, with the groups it is in."""
    found: list[click.Command] = [group]
    for word in text.split()[1:]:
        takes = any(isinstance(item, click.Argument) for item in found[-1].params)
        if word.startswith("-") or (takes and not isinstance(found[-1], click.Group)):
            break
        assert isinstance(found[-1], click.Group), f"{text}: {word!r} is no command"
        command = found[-1].get_command(click.Context(group), word)
        assert command is not None, f"{text}: there is no command {word!r}"
        found.append(command)
    return found


@cache
def options() -> set[str]:
    commands = [
        group.get_command(click.Context(group), name) for name in group.list_commands(click.Context(group))
    ]
    return {flag for command in commands if command for item in command.params for flag in item.opts}


@cache
def desired() -> list[dict[str, Any]]:
    yaml = YAML(typ="safe", pure=True)
    return [yaml.load((ROOT / "desired" / name).read_text()) for name in ("cluster1.yaml", "shared.yaml")]


def says(words: list[str]) -> bool:
    """Whether a file of desired/ has these words, from the top."""
    for found in desired():
        here: Any = found
        for word in words:
            here = here.get(word) if isinstance(here, dict) else None
        if here is not None:
            return True
    return False


@cache
def deviations() -> set[int]:
    found: set[int] = set()
    for first, last in re.findall(rf"#(\d+)(?:{TO}#(\d+))?", DEVIATIONS.read_text()):
        found |= set(range(int(first), int(last or first) + 1))
    return found
