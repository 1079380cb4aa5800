"""Setting and removing variables of a file, in place: whatever else is in it stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core import env_text
from gonka_state.core.change import Action
from gonka_state.core.masking import without_secrets
from gonka_state.facts import env_awk, files
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.operations.placing import PREVIOUS, SPARED, ownership, placing

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

# Only comments are left: nobody else's values are in it.
_EMPTY = r"""
grep -Eq '^[[:blank:]]*[^#[:blank:]]' -- "$target" || rm -f -- "$target" "${target}PREVIOUS"
"""


def apply(step: Step[EnvFileResource]) -> Commands:
    """Write the variables that differ, all of them into a new file; else only mode and owner.

    What is removed are the declared variables, and the file where no other is in it.
    """
    resource = step.resource
    if step.change.action is Action.DELETE:
        yield _without(resource)
        return
    if step.change.action is not Action.CREATE and not step.differs("variables"):
        yield Do("set mode and owner", "\n".join(["set -e", *ownership(resource, quote(resource.name))]))
        return
    names = resource.variables if step.change.action is Action.CREATE else _differing(step)
    values = resource.revealed()
    edits = [
        f"-{name}" if values[name] is None else f"+{name}={env_text.written(values[name] or '')}"
        for name in names
    ]
    yield Do("write the variables", _script(resource, edits), stdin="".join(f"{edit}\n" for edit in edits))


def _script(resource: EnvFileResource, edits: Iterable[str]) -> str:
    gone = [edit for edit in edits if edit.startswith("-")]
    # What is removed is gone: in the version that is kept, too.
    keep = f"edited printf '%s\\n' {quote(chr(10).join(gone))}" if gone else 'cat -- "$target"'
    layout = f"LAYOUT={quote(without_secrets(resource.layout))}"
    return "\n".join((files.SHELL, env_awk.FUNCTIONS, layout, _EDITED, placing(resource, "edited cat", keep)))


def _without(resource: EnvFileResource) -> Do:
    edits = [f"-{name}" for name in resource.variables]
    emptied = resource.model_copy(update={"validate_with": None})
    spared = f"target=$(readlink -m -- {quote(resource.name)})\n{SPARED}"
    script = f"{spared}\n{_script(emptied, edits)}{_EMPTY.replace('PREVIOUS', PREVIOUS)}"
    return Do("remove the variables", script, stdin="".join(f"{edit}\n" for edit in edits))


def _differing(step: Step[EnvFileResource]) -> Iterable[str]:
    """The variables that the change names, in the order they are declared in."""
    changed = {change.name.partition(".")[2] for change in step.change.attributes}
    return [name for name in step.resource.variables if name in changed]
