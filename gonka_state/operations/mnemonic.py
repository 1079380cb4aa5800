"""A mnemonic that is safe before any key is made from it: in a file of the operator's, or read by the operator.

Nothing here runs on a host, and nothing of it goes anywhere but to that file or to the terminal itself:
not to standard output or stderr, which may be a log.
"""

from __future__ import annotations

import os
import random
import secrets
import select
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mnemonic import Mnemonic

from gonka_state.core.leaving import at_the_end
from gonka_state.errors import StepError
from gonka_state.operations.base import Pause

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from gonka_state.operations.base import Command, Result

Words = Mnemonic("english")
STRENGTH = 256
PATIENCE = 900
"""Seconds in which the operator must have written the words down."""
ASKED = 3
"""How many of the words are asked for."""
_POLL = 0.2
_TERMINAL = "/dev/tty"
_alone = threading.Lock()
# A screen of its own, so that the words stay neither on it nor in the scrollback.
_ENTER, _LEAVE = b"\033[?1049h\033[2J\033[H", b"\033[2J\033[?1049l"


def in_file(path: Path, title: str) -> str:
    """The mnemonic of the file, which is made with a fresh one where it is not there.

    A file that is there is taken only if its first line is this very title: a run that died before the key
    was made goes on with the same words. Anything else is left alone.

    Raises:
        StepError: the file is somebody else's, open to others, damaged, or cannot be made.
    """
    try:
        if not path.exists() and not path.is_symlink():
            _write(path, f"{title}\n{Words.generate(STRENGTH)}\n")
        return _read(path, title)
    except OSError as error:
        raise StepError(
            f"{path} cannot be written or read: {error.strerror}; no key was made",
            hint="network.warm_key.mnemonic_file names a file of yours in a directory that is there",
        ) from error


def _write(path: Path, text: str) -> None:
    """Complete and on disk, or not there at all; never over another file."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.link(draft, path)  # refuses where something has come to be there
    finally:
        draft.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _read(path: Path, title: str) -> str:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, encoding="ascii", errors="replace") as stream:
        open_to_others = os.fstat(stream.fileno()).st_mode & 0o077
        first, *rest = stream.read(4096).splitlines() or [""]
    if first != title:
        raise StepError(
            f"{path} is there and is not this key's; it was left alone, and no key was made",
            hint="name another file in network.warm_key.mnemonic_file, or move this one away",
        )
    if open_to_others:
        raise StepError(f"{path} can be read by others; no key was made", hint=f"chmod 600 {path}")
    words = " ".join(" ".join(rest).split())
    if not Words.check(words):
        raise StepError(
            f"{path} holds no valid mnemonic; it was left alone, and no key was made",
            hint="restore it; if no key was ever made from it, move it away",
        )
    return words


def on_terminal(title: str) -> Generator[Command, Result, str]:
    """Show a fresh mnemonic once, on the terminal itself, and go on when some of its words were typed back.

    Raises:
        StepError: there is no terminal, or the words were not confirmed.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise StepError(
            "there is no terminal to show the mnemonic on, and no file to keep it in; no key was made",
            hint="run converge from a terminal, or set network.warm_key.mnemonic_file",
        )
    # Several clusters may each want a key made: one after the other has the terminal.
    while not _alone.acquire(blocking=False):
        yield Pause(_POLL)
    try:
        return (yield from _confirmed(title))
    finally:
        _alone.release()


def _confirmed(title: str) -> Generator[Command, Result, str]:
    words = Words.generate(STRENGTH)
    with _screen() as terminal:
        text = "\n".join(_numbered(words.split()))
        os.write(terminal, f"{title}\n\nWrite these words down; they are shown once.\n\n{text}\n\n".encode())
        for number in sorted(random.SystemRandom().sample(range(24), ASKED)):
            os.write(terminal, f"word {number + 1}, as you wrote it: ".encode())
            while (yield from _line(terminal)) != words.split()[number]:
                os.write(terminal, f"no. Word {number + 1}: ".encode())
    return words


def _numbered(words: list[str]) -> Iterator[str]:
    for start in range(0, len(words), 6):
        yield "  ".join(f"{at + 1:2} {words[at]:<9}" for at in range(start, start + 6))


@contextmanager
def _screen() -> Iterator[int]:
    terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    try:
        # An interrupt ends the program while this waits, and then nobody comes back here.
        with at_the_end(lambda: os.write(terminal, _LEAVE)):
            os.write(terminal, _ENTER)
            yield terminal
    finally:
        os.close(terminal)


def _line(terminal: int) -> Generator[Command, Result, str]:
    """One line typed; other hosts' steps go on meanwhile."""
    typed = b""
    for _ in range(int(PATIENCE / _POLL)):
        if select.select([terminal], [], [], 0)[0]:
            piece = os.read(terminal, 1024)
            typed += piece
            if not piece or b"\n" in typed:
                return typed.decode("utf-8", "replace").strip()
        yield Pause(_POLL)
    raise StepError(f"nobody confirmed the mnemonic within {PATIENCE} s; no key was made")
