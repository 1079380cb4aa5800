"""A marked block of lines in a file that is not ours."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import field_validator

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath

BEGIN, END = "# BEGIN gonka-state", "# END gonka-state"
_VARIABLE = re.compile(r"(export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=")


class FileBlockResource(Resource):
    """`name` is the file's absolute path; it has one block of ours, between two marks.

    `content` are the block's lines. One that sets a variable and already stands elsewhere in the file is not
    written a second time.
    """

    kind: ClassVar[str] = "file-block"
    removable: ClassVar[bool] = True

    name: AbsolutePath
    content: Annotated[str, Attribute()] = ""

    @field_validator("content")
    @classmethod
    def _plain(cls, content: str) -> str:
        if {BEGIN, END} & set(content.splitlines()):
            raise ValueError("holds one of our own marks")
        if any(character < " " and character not in "\t\n" for character in content):
            raise ValueError("holds a control character")
        return content

    @property
    def lines(self) -> tuple[str, ...]:
        """The block's lines."""
        return tuple(self.content.splitlines())

    @property
    def variables(self) -> tuple[str, ...]:
        """The lines that set a variable."""
        return tuple(line for line in self.lines if _VARIABLE.match(line))
