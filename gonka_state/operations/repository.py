"""A git checkout at its pin: made beside its place and moved there, or moved on without touching edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.operations.alone import ALONE
from gonka_state.operations.base import Do, Step, fail

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Result
    from gonka_state.resources.repository import RepositoryResource

EDITED, NO_COMMIT, BUSY, NO_GIT = 3, 4, 5, 127

# git runs as the owner, so that what it writes is the owner's and no setting of the checkout runs as root.
_COMMON = r"""
set -e
umask 022
export GIT_TERMINAL_PROMPT=0
command -v git >/dev/null || { echo 'git is not installed' >&2; exit 127; }
uid=$(id -u -- "$owner") gid=$(id -g -- "$owner")
home=$(getent passwd "$uid" | cut -d : -f 6)
as_owner() {
  [ "$uid" = "$(id -u)" ] || set -- setpriv --reuid="$uid" --regid="$gid" --init-groups env HOME="$home" "$@"
  "$@"
}
g() {
  as_owner git -C "$place" -c safe.directory="$place" -c core.fsmonitor=false -c core.quotePath=false \
    -c core.hooksPath=/dev/null -c http.lowSpeedLimit=1000 -c http.lowSpeedTime=60 "$@"
}
has() { g cat-file -e "$ref^{commit}" 2>/dev/null; }
fetch() {
  has && return
  # A plain file server knows neither depth nor commits by name: there the branches must do.
  g fetch --quiet $1 origin "$ref" 2>/dev/null || g fetch --quiet --tags origin '+refs/heads/*:refs/remotes/origin/*'
  has || { echo "the repository has no commit $ref" >&2; exit 4; }
}
"""

_PREPARE = f"""{ALONE}
alone "$path"
place=$path.gonka-state
rm -rf -- "$place"
trap '[ $? = 0 ] || rm -rf -- "$place"' EXIT
mkdir -- "$place"
chown "$uid:$gid" -- "$place"
g init --quiet
g remote add origin "$url"
fetch --depth=1
"""

_INSTALL = r"""
place=$path.gonka-state
g checkout --quiet --detach "$ref"
if [ -e "$path" ]; then chmod --reference="$path" -- "$place"; rmdir -- "$path"; fi
mv -T -- "$place" "$path"
"""

_OWN = r"""
place=$path
old=$(stat -Lc %u -- "$path/.git")
[ "$old" = "$uid" ] || {
  chown "$uid:$gid" -- "$path"
  (uid=$old && g ls-files -z && g ls-tree -rdz --name-only HEAD) |
    (cd "$path" && xargs -0r chown -h "$uid:$gid" -- 2>/dev/null) || true
  chown -R "$uid:$gid" -- "$path/.git"
}
"""

_ORIGIN = 'g remote set-url origin "$url" 2>/dev/null || g remote add origin "$url"\n'

_FETCH = r"""
if [ "$(g rev-parse --is-shallow-repository)" = true ]; then fetch --depth=1; else fetch; fi
"""

# A file is nobody's edit when it is as it was or as it will be: that is what a killed checkout leaves.
_MOVE = r"""
place=$path
if [ -e "$path/.git/index.lock" ]; then
  for process in /proc/[0-9]*; do
    case $(readlink "$process/cwd") in "$path" | "$path"/*) ;; *) continue ;; esac
    case $(readlink "$process/exe") in */git) echo "git works in $path (process ${process#/proc/})" >&2; exit 5 ;; esac
  done
  rm -f -- "$path/.git/index.lock"
fi
changed() { g diff --no-renames --name-only "$@" -- | sort -u; }
both() { { changed "$@" HEAD; changed "$@" "$ref"; } | sort | uniq -d; }
in_the_way() {
  g diff --no-renames --name-only --diff-filter=A HEAD "$ref" -- | while IFS= read -r file; do
    [ -e "$path/$file" ] || [ -L "$path/$file" ] || continue
    [ "$(g hash-object -- "$file" 2>/dev/null)" = "$(g rev-parse "$ref:$file")" ] || echo "$file"
  done
}
if g rev-parse --verify --quiet HEAD >/dev/null; then
  edited=$({ both; both --cached; in_the_way; } | sort -u)
  [ -z "$edited" ] || { echo "$edited"; exit 3; }
  # The branch, if there is one, stays where it is.
  g update-ref --no-deref HEAD HEAD
  g reset --quiet --hard "$ref"
else
  g checkout --quiet --no-overwrite-ignore --detach "$ref"
fi
"""


def apply(step: Step[RepositoryResource]) -> Commands:
    """Make the checkout, or move it to its pin. Untracked files and local edits are never touched.

    Raises:
        StepError: a tracked file was edited or an untracked one is in the way (all are named), the
            repository has no such commit, or git works there already.
    """
    wish = step.resource
    if step.change.action is Action.CREATE:
        yield from _run(wish, "fetch", _PREPARE, deadline=step.timeouts.pull, again=True)
        yield from _run(wish, "check out", _INSTALL, deadline=step.timeouts.step)
        return
    if step.differs("url"):
        yield from _run(wish, "set the origin of", _OWN + _ORIGIN)
    if step.differs("ref"):
        yield from _run(wish, "fetch for", _OWN + _FETCH, deadline=step.timeouts.pull, again=True)
        yield from _run(wish, "move", _MOVE, deadline=step.timeouts.step)
    elif step.differs("clean"):
        raise _edited(wish, step.details.get("edits", []))


def _run(
    wish: RepositoryResource, what: str, script: str, *, deadline: int = 60, again: bool = False
) -> Commands:
    values = (("path", wish.name), ("url", wish.url), ("ref", wish.ref), ("owner", wish.owner))
    names = "".join(f"{name}={quote(value)}\n" for name, value in values)
    result = yield Do(
        f"{what} {wish.name}", names + _COMMON + script, deadline=deadline, again=again, check=False
    )
    if result.status:
        raise _error(wish, what, result)


def _error(wish: RepositoryResource, what: str, result: Result) -> StepError:
    if result.status == EDITED:
        return _edited(wish, result.stdout.splitlines())
    hints = {
        NO_COMMIT: "is the pin a commit of that repository, and is it on a branch or a tag?",
        BUSY: "wait for it, then converge again",
        NO_GIT: "install git",
    }
    hint = hints.get(result.status, f"can the host reach {wish.url}?" if what.startswith("fetch") else "")
    return fail(result, f"could not {what} {wish.name}", hint=hint)


def _edited(wish: RepositoryResource, files: list[str]) -> StepError:
    more = f" and {len(files) - 5} more" if len(files) > 5 else ""  # noqa: PLR2004 (what one line holds)
    return StepError(
        f"{wish.name} has local edits: {', '.join(files[:5])}{more}; its files were left alone",
        hint="look at them with git diff there, keep what you need elsewhere, revert the files, converge again",
    )
