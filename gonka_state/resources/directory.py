"""A directory with its mode and owner."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from gonka_state.core.address import plain
from gonka_state.resources.base import Attribute, Resource

ABSOLUTE = r"^/[^\x00\n]*$"
MODE = r"^[0-7]{3,4}$"

PlainPath = Annotated[str, AfterValidator(plain)]
AbsolutePath = Annotated[str, Field(pattern=ABSOLUTE), AfterValidator(plain)]


class DirectoryResource(Resource):
    """`name` is the absolute path. `mode` is octal text such as "0755"; unset parts are unmanaged."""

    kind: ClassVar[str] = "directory"

    name: AbsolutePath
    mode: Annotated[str | None, Field(pattern=MODE), Attribute()] = None
    owner: Annotated[str | None, Attribute()] = None
    group: Annotated[str | None, Attribute()] = None
