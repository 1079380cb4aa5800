"""A git checkout at a pinned commit."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath

URL = r"^(https?://[^\s@]+|ssh://([^\s@:/]+@)?[^\s@/]+(/\S*)?|git://\S+|file:///\S+|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:\S+)$"
"""What git can fetch from; no password in it, because plans and origins are shown."""


class RepositoryResource(Resource):
    """`name` is the absolute path of the checkout.

    `ref` is a 40-hex commit: tags and branches move. `clean` compares tracked files only: local edits
    are shown and never overwritten by us. `owner` is given to what git tracks and to `.git`, when a step
    of ours runs; runtime data beside it keeps its own.
    """

    kind: ClassVar[str] = "repository"
    plan_phase: ClassVar[int] = 2

    name: AbsolutePath
    url: Annotated[str, Field(pattern=URL), Attribute()]
    ref: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$"), Attribute(effect=Effect.DISRUPTIVE)]
    clean: Annotated[Literal[True] | None, Attribute()] = None
    owner: str = "root"
