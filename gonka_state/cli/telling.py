"""How this terminal is spoken to: the style of an answer, and errors as an operator reads them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from gonka_state.errors import InputError
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from gonka_state.errors import GonkaStateError


def problems_of(error: GonkaStateError) -> tuple[str, ...]:
    """What is wrong, one line each."""
    return tuple(error.problems) if isinstance(error, InputError) else (error.message,)


def tell_error(error: GonkaStateError) -> None:
    """Print an error, and what to do next."""
    problems = problems_of(error)
    for problem in problems:
        click.echo(f"error: {problem}", err=True)
    if len(problems) > 1:
        click.echo(f"{len(problems)} problems; no host was touched", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)


def style_for(color: str) -> Style:
    """Decide colour (`auto`, `always`, `never`) and width; NO_COLOR wins over auto."""
    terminal = sys.stdout.isatty()
    wants = color == "always" or (color == "auto" and terminal and not os.environ.get("NO_COLOR"))
    width = os.get_terminal_size(sys.stdout.fileno()).columns if terminal else None
    return Style(color=wants, width=width)
