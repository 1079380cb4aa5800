"""The backup of a network host: taken on time, whole, and read back now and then."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class BackupResource(Resource):
    """`name` is the cluster's.

    `program` is the directory of the program that takes it, `directory` the compose project with the keys, `services`
    those of it that write them. `max_age` and `check` are seconds. `keys` are those that a key of this host, older than
    the last snapshot, is missing in; `scheduled` and `checked` are observed as why not.
    """

    kind: ClassVar[str] = "backup"
    plan_phase: ClassVar[int] = 5

    repository: str
    program: AbsolutePath
    directory: AbsolutePath
    services: tuple[str, ...] = Field(default=(), strict=False)
    max_age: int = Field(gt=0)
    check: int = Field(gt=0)
    scheduled: Annotated[Literal[True], Attribute()] = True
    fresh: Annotated[Literal[True], Attribute()] = True
    whole: Annotated[Literal[True], Attribute()] = True
    checked: Annotated[Literal[True], Attribute()] = True
