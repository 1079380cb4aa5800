"""A program file that somebody else puts in place."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class BinaryResource(Resource):
    """`name` is the absolute path, which may lead through cosmovisor's `current`; `sha256` is hexadecimal.

    Only a human closes it: which program signs blocks is never ours to change.
    """

    kind: ClassVar[str] = "binary"
    human: ClassVar[bool] = True
    plan_phase: ClassVar[int] = 4

    name: AbsolutePath
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), Attribute()]
