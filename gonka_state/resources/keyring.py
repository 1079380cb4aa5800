"""The warm key's keyring as a whole: the declared passphrase opens it, if it is there."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class KeyringResource(Resource):
    """`name` is the absolute path of the `keyring-file` directory; one that is not there yet opens to anything."""

    kind: ClassVar[str] = "keyring"
    plan_phase: ClassVar[int] = 3
    human: ClassVar[bool] = True

    name: AbsolutePath
    password: SecretStr = Field(repr=False)
    opened: Annotated[Literal[True], Attribute()] = True
