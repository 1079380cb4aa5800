"""Setting and removing variables of a file, in place: whatever else is in it stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core import env_text
from gonka_state.core.change import Action
from gonka_state.core.masking import without_secrets
from gonka_state.facts import env_awk, files
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.operations.placing import ownership, placing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.env_file import EnvFileResource

# Standard input holds the variables with their values; they reach awk through the same pipe as the file.
_EDITED = r"""
current() { if [ -e "$target" ]; then cat -- "$target"; else printf '%s' "$LAYOUT"; fi; }
no_end() { if [ -s "$target" ] && [ "$(tail -c1 -- "$target" | od -An -tx1)" != ' 0a' ]; then echo 1; else echo 0; fi; }
edited() {
  if [ -e "$target" ] && holds_zero "$target"; then echo "$target holds zero bytes" >&2; return 1; fi
  { "$@"; echo '#@#'; current; } | env_edit "$(no_end)"
}
"""


def apply(step: Step[EnvFileResource]) -> Commands:
    """Write the variables that differ, all of them into a new file; else only mode and owner."""
    resource = step.resource
    if step.change.action is not Action.CREATE and not step.differs("variables"):
        yield Do("set mode and owner", "\n".join(["set -e", *ownership(resource, quote(resource.name))]))
        return
    names = resource.variables if step.change.action is Action.CREATE else _differing(step)
    values = resource.revealed()
    edits = [
        f"-{name}" if values[name] is None else f"+{name}={env_text.written(values[name] or '')}"
        for name in names
    ]
    gone = quote("\n".join(edit for edit in edits if edit.startswith("-")))
    # What is removed is gone: in the version that is kept, too.
    keep = (
        f"edited printf '%s\\n' {gone}" if any(values[name] is None for name in names) else 'cat -- "$target"'
    )
    script = "\n".join(
        (
            files.SHELL,
            env_awk.FUNCTIONS,
            f"LAYOUT={quote(without_secrets(resource.layout))}",
            _EDITED,
            placing(resource, "edited cat", keep),
        )
    )
    yield Do("write the variables", script, stdin="".join(f"{edit}\n" for edit in edits))


def _differing(step: Step[EnvFileResource]) -> Iterable[str]:
    """The variables that the change names, in the order they are declared in."""
    changed = {change.name.partition(".")[2] for change in step.change.attributes}
    return [name for name in step.resource.variables if name in changed]
