"""A wish or an URL by a digest, so that it is known again without keeping what it says."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.resources.base import Resource

KEY_BYTES = 32
DIGEST_CHARACTERS = 16


def read_key(path: Path) -> bytes:
    """This machine's own key, made when it is first asked for; it is kept apart from the digests.

    Raises:
        OSError: it can be neither read nor made.
    """
    with suppress(FileNotFoundError):
        return path.read_bytes()
    new = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        # Whoever comes second takes the first one's, whole.
        with suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        new.unlink()
    return path.read_bytes()


def digest(key: bytes, resource: Resource) -> str:
    """What stands for the wish of one resource, its secrets included. Order between resources is no part of it."""
    return digest_of(key, json.dumps(resource.model_dump(exclude={"needs"}), sort_keys=True, default=_plain))


def digest_of(key: bytes, text: str) -> str:
    """What stands for a text."""
    made = hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return made.hexdigest()[:DIGEST_CHARACTERS]


def _plain(value: Any) -> Any:  # noqa: ANN401 (whatever a resource holds)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else str(value)
