"""A program of a Python package, in a virtual environment of its own."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath

WORD = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class PythonToolResource(Resource):
    """`path` is the environment, which is ours as a whole: every new version is a new one.

    `version` is that of `package`, observed as the one installed. `runs` is observed as false where `program` does
    not answer `--version`. `link` is where else the program shall be found, observed as what is there. `wheels` is a
    directory of the host or an address that pip takes packages from, and from nowhere else; without it, pip's own
    configuration on the host decides.
    """

    kind: ClassVar[str] = "python-tool"

    name: str = Field(pattern=WORD)
    package: str = Field(pattern=WORD)
    version: Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.+!_-]*$"), Attribute()]
    runs: Annotated[bool, Attribute()] = True
    path: AbsolutePath
    program: str = Field(pattern=WORD)
    link: Annotated[AbsolutePath | None, Attribute()] = None
    wheels: str | None = Field(default=None, pattern=r"^(/|https?://|file:///)[^\s]*$")

    @property
    def command(self) -> str:
        """The program, by its absolute path."""
        return f"{self.path}/bin/{self.program}"
