"""A known_hosts file: which keys a name has in it. Reading only; `pinning` writes."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.core.trust import Key
from gonka_state.errors import InputError, said_by

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HASHED = "|1|"
LEAST_FIELDS = 3


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it is written; `names` is empty where it pins nothing (comments, @cert-authority)."""

    raw: str
    names: tuple[str, ...] = ()
    key: Key | None = None

    def pins(self, name: str) -> bool:
        """Whether it is about a host, in plain or hashed form."""
        return any(_is(given, name) for given in self.names)


def _is(given: str, name: str) -> bool:
    if not given.startswith(_HASHED):
        return given == name
    salt, _, digest = given.removeprefix(_HASHED).partition("|")
    try:
        made = hmac.new(
            base64.b64decode(salt), name.encode(), hashlib.sha1
        ).digest()  # (the format's own digest)
    except binascii.Error:
        return False
    return base64.b64encode(made).decode() == digest


def read(path: str) -> str:
    """A file's text; empty where there is none.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InputError([f"{path} cannot be read: {said_by(error)}"]) from error


def lines(text: str) -> Iterator[Line]:
    """Every line; those that pin nothing, or are damaged, keep their text only."""
    for raw in text.splitlines():
        fields = raw.split()
        if len(fields) < LEAST_FIELDS or fields[0].startswith(("#", "@")):
            yield Line(raw)
            continue
        key = Key(fields[1], fields[2])
        try:
            key.fingerprint  # noqa: B018 (raises where it is no key)
        except ValueError:
            yield Line(raw)
            continue
        yield Line(raw, tuple(fields[0].split(",")), key)


def pinned(text: str, name: str) -> Mapping[str, Key]:
    """The keys that a name has, by type; the first of a type counts, as for SSH programs."""
    found: dict[str, Key] = {}
    for line in lines(text):
        if line.key is not None and line.pins(name):
            found.setdefault(line.key.type, line.key)
    return found
