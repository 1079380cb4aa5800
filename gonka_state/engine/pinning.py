"""Writing a known_hosts file: keys added or taken out, every other line as it was, never half a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.engine.known_hosts import Line, lines
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gonka_state.core.trust import Key

MODE = 0o644
"""Public keys: every login of this machine may read them."""


def changed(text: str, keys: Mapping[str, Sequence[Key]], replaced: Iterable[str] = ()) -> str:
    """The text with keys added per name; what `replaced` names had is taken out first."""
    kept = [_without(line, set(replaced)) for line in lines(text)]
    new = [f"{name} {key.type} {key.data}" for name, given in keys.items() for key in given]
    whole = [line for line in kept if line is not None] + new
    return "".join(f"{line}\n" for line in whole)


def _without(line: Line, names: set[str]) -> str | None:
    """A line without some of its names; None where none is left."""
    gone = {given for given in line.names if any(Line("", (given,)).pins(name) for name in names)}
    if not gone:
        return line.raw
    left = [given for given in line.names if given not in gone]
    return line.raw.replace(",".join(line.names), ",".join(left), 1) if left else None


def write(path: str, text: str) -> None:
    """Put a file in place whole; a link is followed.

    Raises:
        InputError: it cannot be written.
    """
    target = Path(path).resolve()
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError([f"{path} cannot be written: {error.strerror}"]) from error
    new = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(MODE)
        new.replace(target)
    except OSError as error:
        raise InputError([f"{path} cannot be written: {error.strerror}"]) from error
    finally:
        new.unlink(missing_ok=True)
