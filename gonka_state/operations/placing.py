"""The script that puts a file in place at once, for every kind that writes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.kept import DATA, NEVER_DELETED, NEVER_WRITTEN, SIGNER
from gonka_state.facts.base import quote

if TYPE_CHECKING:
    from gonka_state.resources.env_file import EnvFileResource
    from gonka_state.resources.file import FileResource

PREVIOUS = ".gonka-state-previous"
"""What the name of the version that is kept ends in."""


# Refused where the wish is read; a link on the host may lead there all the same.
_KEPT = "|".join(f"*/{name}/*" for name in DATA)
SPARED = f"""case $target/ in {_KEPT}) echo "$target {NEVER_DELETED}" >&2; exit 1 ;; esac"""
"""Shell that ends the script before anything is removed at `$target`, a real path, that cannot be had again."""
_NOT_THE_SIGNERS = f"""case $target/ in */{SIGNER}/*) echo "$target {NEVER_WRITTEN}" >&2; exit 1 ;; esac"""


def ownership(resource: EnvFileResource | FileResource, path: str) -> list[str]:
    """Shell lines that give `path` (already quoted) its declared owner, group and mode."""
    lines = []
    if resource.owner is not None or resource.group is not None:
        owner = resource.owner or ""
        group = f":{resource.group}" if resource.group is not None else ""
        lines.append(f"chown {quote(owner + group)} -- {path}")
    if resource.mode is not None:
        lines.append(f"chmod {resource.mode} -- {path}")
    return lines


def placing(resource: EnvFileResource | FileResource, content: str, keep: str = 'cat -- "$target"') -> str:
    """A script that makes the resource's file of what `content` prints.

    `content` and `keep` are shell, which find the file's real path in `$target`; `content` reads the
    script's standard input. `keep` prints what is kept as the previous version.
    """
    validate = f'sh -c {quote(resource.validate_with)} validate "$new"' if resource.validate_with else ":"
    owned = "\n".join(ownership(resource, '"$new"'))
    mode = "0600" if resource.secrets else "0644"
    # The new file lies beside its target, so that the rename is atomic; a link is followed, never replaced.
    # What is kept is no more open than the new file: the same secrets are in it. A killed script leaves no
    # temporary file behind.
    return f"""
set -eu
umask 077
target=$(readlink -m -- {quote(resource.name)})
{_NOT_THE_SIGNERS}
new=$(mktemp -- "$(dirname -- "$target")/.gonka-state.XXXXXX")
trap 'rm -f -- "$new" "$new.previous"' EXIT
trap 'exit 1' HUP INT TERM
{content} >"$new"
if [ -e "$target" ]; then chown --reference="$target" -- "$new"; chmod --reference="$target" -- "$new"; else chmod {mode} -- "$new"; fi
{owned}
{validate}
sync -- "$new"
if [ -e "$target" ]; then
  {keep} >"$new.previous"
  chown --reference="$new" -- "$new.previous"; chmod --reference="$new" -- "$new.previous"
  mv -f -- "$new.previous" "$target{PREVIOUS}"
fi
mv -f -- "$new" "$target"
"""
