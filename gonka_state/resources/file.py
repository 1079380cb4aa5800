"""A file with its content, mode and owner. Secrets in it never leave the host."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import MODE, AbsolutePath


class FileResource(Resource):
    """`name` is the absolute path.

    `content` holds a placeholder (core.masking.placeholder) wherever a secret goes; `secrets` maps the
    secret's name to its value. Content is compared line by line after masking both sides with the look's
    salt. `validate_with` is a command that gets the new file's path as `$1` and must exit 0 before the
    file is put in place. `phase` is the deployment plan's: a compose file comes with the images it names, a
    file of the host's system with that system.
    """

    kind: ClassVar[str] = "file"
    plan_phase: ClassVar[int] = 3
    removable: ClassVar[bool] = True

    name: AbsolutePath
    content: Annotated[str | None, Attribute()] = None
    mode: Annotated[str | None, Field(pattern=MODE), Attribute()] = None
    owner: Annotated[str | None, Attribute()] = None
    group: Annotated[str | None, Attribute()] = None
    secrets: dict[str, SecretStr] = Field(default_factory=dict, repr=False)
    validate_with: str | None = None
    phase: int = Field(default=3, ge=1, le=3)

    @property
    def in_phase(self) -> int:
        """The plan writes the configuration in phase 3."""
        return self.phase
