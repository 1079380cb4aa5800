"""The end of an interrupted program: what must not be left behind is done, what was said is written, and that is all."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_open: dict[object, Callable[[], object]] = {}


@contextmanager
def at_the_end(action: Callable[[], object]) -> Iterator[None]:
    """Do `action` when the block is left, or when the program is interrupted and nobody comes back to the block."""
    key = object()
    _open[key] = action
    try:
        yield
    finally:
        _open.pop(key)()


def leave(status: int) -> NoReturn:
    """End the program with `status`, without Python taking itself apart.

    gevent may hand the interrupt on to whoever waits next: paramiko's farewell at exit, with a traceback.
    """
    for action in _open.values():
        with suppress(OSError):
            action()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)
