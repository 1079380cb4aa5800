"""A directory with its mode and owner."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource

ABSOLUTE = r"^/[^\x00\n]*$"
MODE = r"^[0-7]{3,4}$"


class DirectoryResource(Resource):
    """`name` is the absolute path. `mode` is octal text such as "0755"; unset parts are unmanaged."""

    kind: ClassVar[str] = "directory"

    name: str = Field(pattern=ABSOLUTE)
    mode: Annotated[str | None, Field(pattern=MODE), Attribute()] = None
    owner: Annotated[str | None, Attribute()] = None
    group: Annotated[str | None, Attribute()] = None
