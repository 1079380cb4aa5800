"""Expected errors on standard error, as an operator reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gonka_state.errors import InputError

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
