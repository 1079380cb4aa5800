"""A git checkout at a pinned commit."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import ABSOLUTE


class RepositoryResource(Resource):
    """`name` is the absolute path of the checkout.

    `ref` is a 40-hex commit (or a tag, then `commit` tells what it must resolve to). `clean` compares
    tracked files only: local edits are shown and never overwritten by us.
    """

    kind: ClassVar[str] = "repository"

    name: str = Field(pattern=ABSOLUTE)
    url: Annotated[str, Attribute()]
    ref: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$"), Attribute(effect=Effect.DISRUPTIVE)]
    clean: Annotated[bool | None, Attribute()] = None
    owner: str = "root"
