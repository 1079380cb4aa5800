"""What commands share that write a cluster file: it is read back before it is handed out."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from gonka_state.spec.load import load


def check(text: str, name: str) -> None:
    """A file that cannot be read back is not handed out. What it extends, it has to name by absolute path.

    Raises:
        InputError: what is wrong with it, at the lines of a file called `name`.
    """
    with TemporaryDirectory() as directory:
        path = Path(directory) / name
        path.write_text(text, encoding="utf-8")
        try:
            load(
                [path],
                models={name: kind.resource for name, kind in KINDS.items()},
                env={},
                resolve_commands=False,
            )
        except InputError as error:
            problems = [problem.replace(f"{directory}/", "") for problem in error.problems]
            raise InputError(
                problems, hint=f"{name} was not written: it would have these mistakes"
            ) from error
