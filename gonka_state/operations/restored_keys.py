"""Notes on a host that its keys may be new, by the operator's word."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.resources.restored_keys import SETTLED

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.restored_keys import RestoredKeysResource

_NOTE = r"""
set -eu
umask 077
mkdir -p "${file%/*}"
trap 'rm -f -- "$file.part"' EXIT
cat >"$file.part"
mv -f -- "$file.part" "$file"
"""


def apply(step: Step[RestoredKeysResource]) -> Commands:
    """Only a note: the keys are made by whatever needs them. The next backup that has them removes it."""
    note = {"by": "fresh-keys", "new": step.details.get("missing", []), "time": time.time()}
    yield Do("note that keys may be new", f"file={quote(SETTLED)}{_NOTE}", stdin=json.dumps(note))
