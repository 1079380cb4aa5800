"""A package of the distribution."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource

PACKAGE = r"^[a-z0-9][a-z0-9+.-]+$"
"""A name of dpkg's, without an architecture."""
VERSION = r"^[0-9][A-Za-z0-9.+:~-]*$"


class PackageResource(Resource):
    """`name` is dpkg's name of it; a name that other packages only provide is never installed.

    `installed` is observed as true, or as dpkg's word for a state in between (`half-configured`).
    `minimum` is the oldest version that will do, compared by the host's dpkg; observed as itself where it is met,
    else as the version that is there. A newer package may restart its own service.
    """

    kind: ClassVar[str] = "package"

    name: str = Field(pattern=PACKAGE)
    installed: Annotated[Literal[True], Attribute()] = True
    minimum: Annotated[str | None, Field(pattern=VERSION), Attribute(effect=Effect.DISRUPTIVE)] = None
