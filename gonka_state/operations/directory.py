"""Making a directory, and giving it its mode and owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.directory import DirectoryResource
    from gonka_state.resources.file import FileResource


def ownership(resource: DirectoryResource | FileResource, path: str) -> list[str]:
    """Shell lines that give `path` (already quoted) its declared owner, group and mode."""
    lines = []
    if resource.owner is not None or resource.group is not None:
        owner = resource.owner or ""
        group = f":{resource.group}" if resource.group is not None else ""
        lines.append(f"chown {quote(owner + group)} -- {path}")
    if resource.mode is not None:
        lines.append(f"chmod {resource.mode} -- {path}")
    return lines


def apply(step: Step[DirectoryResource]) -> Commands:
    """Create the directory where it is missing; its content is never touched."""
    path = quote(step.resource.name)
    lines = ["set -e", *([f"mkdir -p -- {path}"] if step.change.action is Action.CREATE else [])]
    yield Do("make the directory", "\n".join([*lines, *ownership(step.resource, path)]))
