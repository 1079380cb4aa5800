"""Public keys that may log in as a user."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from gonka_state.core.ssh_key import fields, fingerprint
from gonka_state.resources.base import Attribute, Resource

USER = r"^[a-z_][a-z0-9_-]{0,30}$"
TYPES = r"^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+$"
KEY = r"^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( [^\x00-\x1f]*)?$"
"""`TYPE BASE64 COMMENT`, as in a .pub file; options before it are not ours to give."""


class AuthorizedKeysResource(Resource):
    """`name` is the user; `keys` are lines of .pub files. Compared by the key alone: options and comments are not.

    `keys` is observed as a map from fingerprint to type and comment.
    """

    kind: ClassVar[str] = "authorized-keys"

    name: str = Field(pattern=USER)
    keys: Annotated[tuple[Annotated[str, Field(pattern=KEY)], ...], Field(strict=False), Attribute()]

    @field_validator("keys")
    @classmethod
    def _whole(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            kind, blob, *_ = key.split(" ")
            try:
                name, *numbers = fields(blob)
            except ValueError:
                name, numbers = b"", []
            if name != kind.encode() or not numbers:
                raise ValueError(f"{key[:40]}… is cut off or no key of its type")
        return keys

    def by_fingerprint(self) -> dict[str, str]:
        """Each key's line by its fingerprint."""
        return {fingerprint(key.split(" ")[1]): key for key in self.keys}
