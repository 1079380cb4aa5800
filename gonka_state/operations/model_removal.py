"""Taking a model's folder out of the hub's cache; what another model links to stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.facts.model_cache import folder
from gonka_state.operations.base import Do
from gonka_state.operations.placing import SPARED

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands
    from gonka_state.operations.model_job import Job

# Blobs may be links into a store that all models share: of that goes what no other folder leads to, and goes
# first, so that a killed step leaves the folder to be seen. Nothing outside the cache is removed.
_REMOVE = r"""
systemctl stop "$unit" 2>/dev/null
systemctl reset-failed "$unit" 2>/dev/null
top=$(readlink -f -- "$home/hub") && place=$top/$folder || exit 1
[ -e "$place" ] || [ -L "$place" ] || exit 0
[ ! -L "$place" ] || { echo "$place leads to $(readlink -f -- "$place"): remove it by hand" >&2; exit 1; }
ends() { find "$@" -type l -exec readlink -f -- {} + | sort -u; }
others=$(mktemp) || exit 1
trap 'rm -f -- "$others"' EXIT
ends "$top" -path "$place" -prune -o >"$others"
ends "$place" | grep -vxF -f "$others" | while IFS= read -r end; do
  case $end in "$place"/*) ;; "$top"/*) rm -f -- "$end" || exit 1 ;; esac
done || exit 1
rm -rf -- "$place" "$top/.locks/$folder"
"""


def remove(job: Job) -> Commands:
    """Remove every revision of the model, with a download that runs ended first."""
    names = {"home": job.home, "folder": folder(job.model), "unit": job.unit}
    lines = "".join(f"{name}={quote(value)}\n" for name, value in names.items())
    lines += f'target=$(readlink -m -- "$home/hub")\n{SPARED}'
    yield Do(f"remove {job.model}", lines + _REMOVE, deadline=600)
