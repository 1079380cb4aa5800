"""Public keys of SSH: base64 of a row of fields, each with its length before it (RFC 4253, 6.6)."""

from __future__ import annotations

import base64
import hashlib

_LENGTH = 4


def fingerprint(data: str) -> str:
    """As every SSH program shows it, from a key's base64: `SHA256:` and base64 without padding.

    Raises:
        ValueError: this is no base64.
    """
    digest = hashlib.sha256(base64.b64decode(data, validate=True)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def fields(data: str) -> list[bytes]:
    """What a key's base64 holds: its type's name first, then its numbers.

    Raises:
        ValueError: this is no base64, or a piece of it is missing.
    """
    rest, found = base64.b64decode(data, validate=True), list[bytes]()
    while rest:
        end = _LENGTH + int.from_bytes(rest[:_LENGTH])
        if len(rest) < end:
            raise ValueError("the key is cut off")
        found.append(rest[_LENGTH:end])
        rest = rest[end:]
    return found
