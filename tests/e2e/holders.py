"""Which files of this machine hold one of several texts: those that changed since a moment, on the whole disk's ways."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

_PIECE = 1 << 24


def holders(
    texts: Mapping[str, str], roots: Iterable[Path], *, since: float, leave: Collection[Path] = ()
) -> dict[str, set[Path]]:
    """The files below `roots` that hold each text, by the text's name.

    A text that came to be at `since` is in no file that was last touched before. `leave` are directories that
    are not entered.
    """
    wanted = {name: text.encode() for name, text in texts.items()}
    found: dict[str, set[Path]] = {name: set() for name in texts}
    for path in _fresh(sorted({root.resolve() for root in roots}), since, {one.resolve() for one in leave}):
        for name in _held(path, wanted):
            found[name].add(path)
    return found


def _fresh(roots: list[Path], since: float, leave: Collection[Path]) -> Iterator[Path]:
    for root in roots:
        if any(other in root.parents for other in roots):
            continue
        for place, directories, names in os.walk(root):
            directories[:] = [one for one in directories if Path(place, one) not in leave]
            for path in (Path(place, name) for name in names):
                try:
                    seen = path.lstat()
                except OSError:  # gone meanwhile
                    continue
                if stat.S_ISREG(seen.st_mode) and seen.st_ctime >= since:
                    yield path


def _held(path: Path, wanted: Mapping[str, bytes]) -> set[str]:
    longest = max(map(len, wanted.values()))
    held: set[str] = set()
    before = b""
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                text = before + piece
                held |= {name for name, secret in wanted.items() if secret in text}
                before = text[-longest:]
    except OSError:  # gone meanwhile, or a file system's own
        pass
    return held
