"""The URL that is called when a run reached its end, so that somebody notices when none does any more."""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gonka_state.errors import GonkaStateError, InputError, said_by

if TYPE_CHECKING:
    from pathlib import Path

DEADLINE = 10
"""Seconds for one attempt."""


def check_url(url: str) -> str:
    """The URL without what stands around it. It is a secret: no message repeats it.

    Raises:
        InputError: it is none that can be called.
    """
    text = url.strip()
    try:
        parts = urlsplit(text)
        callable_ = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        callable_ = False
    if not callable_ or not text.isascii() or not text.isprintable() or " " in text:
        raise InputError(["the ping URL is no http or https URL"])
    return text


def ping(file: Path) -> None:
    """Call the URL in a file, twice at most.

    Raises:
        GonkaStateError: it could not be read or did not answer; the URL is not in the message.
    """
    try:
        url = check_url(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise GonkaStateError(f"the ping URL in {file} cannot be read: {said_by(error)}") from error
    except InputError as error:
        raise GonkaStateError(f"{error.message}: {file}") from error
    problem = ""
    for _ in range(2):
        problem = _call(url)
        if not problem:
            return
    raise GonkaStateError(f"the ping URL in {file} could not be called: {problem}")


def _call(url: str) -> str:
    """What went wrong, without the URL; empty when nothing did."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE):  # noqa: S310 (its scheme was checked)
            return ""
    except urllib.error.HTTPError as error:
        return f"it answered {error.code}"
    except urllib.error.URLError as error:
        return said_by(error.reason) if isinstance(error.reason, OSError) else type(error).__name__
    except (OSError, HTTPException, ValueError) as error:
        return type(error).__name__
