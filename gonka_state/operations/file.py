"""Putting a file in place: complete or not at all, never readable by others on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.masking import reveal
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.operations.placing import PREVIOUS, SPARED, ownership, placing

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.file import FileResource


def apply(step: Step[FileResource]) -> Commands:
    """Write the content when it differs, else only mode and owner; remove on `state: absent`."""
    resource = step.resource
    path = quote(resource.name)
    if step.change.action is Action.DELETE:
        # What is removed is gone, secrets in the version that was kept among it.
        yield Do(
            "remove the file",
            f'target=$(readlink -m -- {path})\n{SPARED}\nrm -f -- {path} "$target{PREVIOUS}"',
        )
        return
    writes = resource.content is not None and (step.change.action is Action.CREATE or step.differs("content"))
    if not writes:
        lines = ["set -e", *([f": >>{path}"] if step.change.action is Action.CREATE else [])]
        yield Do("set mode and owner", "\n".join([*lines, *ownership(resource, path)]))
        return
    secrets = {name: secret.get_secret_value() for name, secret in resource.secrets.items()}
    script = placing(resource, "cat")
    yield Do("write the file", script, stdin=reveal(resource.content or "", secrets))
