"""Making a directory, and giving it its mode and owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.operations.base import Call

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.directory import DirectoryResource


def apply(step: Step[DirectoryResource]) -> Commands:
    """Create the directory where it is missing, with pyinfra's own operation; its content is never touched."""
    from pyinfra.operations import files  # noqa: PLC0415 (only a converge with such a step pays for it)

    wish = step.resource
    arguments = {"path": wish.name, "user": wish.owner, "group": wish.group, "mode": wish.mode}
    yield Call(f"make {wish.name}", files.directory, arguments)
