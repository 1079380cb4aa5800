"""Writing a marked block into a file of others: whatever else is in it stays byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.facts import file_blocks
from gonka_state.operations.base import Do
from gonka_state.operations.placing import placing
from gonka_state.resources.file import FileResource
from gonka_state.resources.file_block import BEGIN, END

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.file_block import FileBlockResource

# Standard input is the block with its marks, or nothing. It goes where the old one was, else to the end, after a
# line that ends. A new file belongs to the owner of its directory.
_EDITED = r"""
edited() {
  if ! [ -e "$target" ]; then chown --reference="$(dirname -- "$target")" -- "$new"; cat; return; fi
  between "$target" || { echo "$target: its marks do not make one block" >&2; return 1; }
  if [ -n "$first" ]; then head -n $((first - 1)) -- "$target"; cat; tail -n +$((last + 1)) -- "$target"; return; fi
  cat -- "$target"
  [ ! -s "$target" ] || [ "$(tail -c1 -- "$target" | od -An -tx1)" = ' 0a' ] || echo
  cat
}
"""


def apply(step: Step[FileBlockResource]) -> Commands:
    """Write the block as the look worked it out, or take it away with its marks.

    Raises:
        StepError: the marks were damaged since the look; the file is left as it is.
    """
    wish = step.resource
    lines = [] if step.change.action is Action.DELETE else step.details.get("lines", wish.lines)
    block = "\n".join([BEGIN, *lines, END, ""]) if lines else ""
    script = "\n".join((file_blocks.SHELL, _EDITED, placing(FileResource(name=wish.name), "edited")))
    about = f"write the block in {wish.name}" if block else f"remove the block from {wish.name}"
    yield Do(about, script, stdin=block)
