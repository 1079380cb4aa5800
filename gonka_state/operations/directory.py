"""Making a directory, and giving it its mode and owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.facts.base import quote
from gonka_state.operations.base import Call, Do

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.directory import DirectoryResource


def apply(step: Step[DirectoryResource]) -> Commands:
    """Create the directory where it is missing, with pyinfra's own operation; its content is never touched."""
    from pyinfra.operations import files  # noqa: PLC0415 (only a converge with such a step pays for it)

    wish = step.resource
    arguments = {"path": wish.name, "user": wish.owner, "group": wish.group, "mode": wish.mode}
    yield Call(f"make {wish.name}", files.directory, arguments)
    if wish.mode is not None and (step.change.action is Action.CREATE or step.differs("mode")):
        # With up to four digits chmod leaves a directory the setgid bit that it has from the one above it.
        yield Do(f"give {wish.name} its mode", f"chmod {wish.mode.zfill(5)} -- {quote(wish.name)}")
