"""Putting a file in place: complete or not at all, never readable by others on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.masking import reveal
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.file import FileResource

# The new file lies beside its target, so that the rename is atomic; a link is followed, never replaced.
# The previous version is kept once. A killed script leaves no temporary file behind.
_WRITE = r"""
set -eu
umask 077
target=$(readlink -m -- TARGET)
new=$(mktemp -- "$(dirname -- "$target")/.gonka-state.XXXXXX")
trap 'rm -f -- "$new"' EXIT
trap 'exit 1' HUP INT TERM
cat >"$new"
if [ -e "$target" ]; then chown --reference="$target" -- "$new"; chmod --reference="$target" -- "$new"; else chmod DEFAULT -- "$new"; fi
OWNERSHIP
VALIDATE
sync -- "$new"
if [ -e "$target" ]; then cp -p -- "$target" "$target.gonka-state-previous"; fi
mv -f -- "$new" "$target"
"""


def _ownership(resource: FileResource, path: str) -> list[str]:
    """Shell lines that give `path` (already quoted) its declared owner, group and mode."""
    lines = []
    if resource.owner is not None or resource.group is not None:
        owner = resource.owner or ""
        group = f":{resource.group}" if resource.group is not None else ""
        lines.append(f"chown {quote(owner + group)} -- {path}")
    if resource.mode is not None:
        lines.append(f"chmod {resource.mode} -- {path}")
    return lines


def apply(step: Step[FileResource]) -> Commands:
    """Write the content when it differs, else only mode and owner; remove on `state: absent`."""
    resource = step.resource
    path = quote(resource.name)
    if step.change.action is Action.DELETE:
        yield Do("remove the file", f"rm -f -- {path}")
        return
    writes = resource.content is not None and (step.change.action is Action.CREATE or step.differs("content"))
    if not writes:
        lines = ["set -e", *([f": >>{path}"] if step.change.action is Action.CREATE else [])]
        yield Do("set mode and owner", "\n".join([*lines, *_ownership(resource, path)]))
        return
    secrets = {name: secret.get_secret_value() for name, secret in resource.secrets.items()}
    validate = f'sh -c {quote(resource.validate_with)} validate "$new"' if resource.validate_with else ""
    script = (
        _WRITE.replace("TARGET", path)
        .replace("OWNERSHIP", "\n".join(_ownership(resource, '"$new"')))
        .replace("VALIDATE", validate)
        .replace("DEFAULT", "0600" if resource.secrets else "0644")
    )
    yield Do("write the file", script, stdin=reveal(resource.content or "", secrets))
