"""Adding public keys of a user. Nobody's key is ever taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.operations.placing import placing
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.authorized_keys import AuthorizedKeysResource

# Below the user's home everything is done as the user, so that no link of theirs leads root elsewhere.
_AS_USER = r"""
set -e
uid=$(id -u -- "$user") gid=$(id -g -- "$user") home=$(getent passwd "$user" | cut -d : -f 6)
as() {
  case $file in "$home"/*) [ "$uid" = "$(id -u)" ] || set -- setpriv --reuid="$uid" --regid="$gid" --init-groups "$@" ;; esac
  "$@"
}
as sh -c 'umask 077; mkdir -p -- "$1"' directory "$(dirname -- "$file")"
as sh -c "$script"
"""

_EDITED = r"""
edited() {
  if [ -e "$target" ]; then
    cat -- "$target"
    [ ! -s "$target" ] || [ "$(tail -c1 -- "$target" | od -An -tx1)" = " 0a" ] || echo
  fi
  cat
}
"""


def apply(step: Step[AuthorizedKeysResource]) -> Commands:
    """Add the declared keys that are missing to the file that sshd reads first."""
    wish, file = step.resource, str(step.details["file"])
    script = _EDITED + placing(FileResource(name=file), "edited")
    names = f"user={quote(wish.name)}\nfile={quote(file)}\nscript={quote(script)}\n"
    lines = "".join(f"{line}\n" for line in step.details["missing"])
    yield Do(f"add keys to {file}", names + _AS_USER, stdin=lines)
