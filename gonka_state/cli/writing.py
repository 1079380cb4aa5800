"""What commands share that write files: a cluster file is read back first, and each is written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

from gonka_state.errors import GonkaStateError, InputError, said_by
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


def write_file(path: Path, text: str, mode: int = 0o600) -> None:
    """Put a text in the place of a file, whatever the umask says; a reader sees the old one or the new one.

    A link stays, and its target is replaced; into what is no file (a device, a pipe) the text is written.

    Raises:
        GonkaStateError: it could not be written; the old one is still there.
    """
    path = Path(os.path.realpath(path))
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8")
            return
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(handle, mode)
        new.replace(path)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise GonkaStateError(f"{path} cannot be written: {said_by(error)}") from error
