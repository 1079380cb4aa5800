"""Git checkouts: the commit they are at, where they come from, and local edits of tracked files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Absent, Observation, Present, Unknown, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.repository import RepositoryResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# git refuses to read another user's checkout, and root should not run what that user configured there: so
# it runs as the owner of .git. safe.directory on the command line counts from git 2.38 only.
FUNCTIONS = r"""
export GIT_OPTIONAL_LOCKS=0
me=$(id -u)
g() {
  set -- git -C "$place" -c safe.directory="$place" -c core.fsmonitor=false -c core.quotePath=false "$@"
  [ "$me" != 0 ] || [ "$uid" = 0 ] || set -- setpriv --reuid="$uid" --regid="$gid" --clear-groups env HOME=/nonexistent "$@"
  "$@"
}
state() {
  if ! said=$(stat -Lc %F -- "$1" 2>&1); then
    case $said in *'No such file'*) if [ -L "$1" ]; then echo 'other a dangling link'; else echo absent; fi; return ;; esac
    echo "$said" >&2; return 1
  fi
  [ "$said" = directory ] || { echo "other a $said"; return; }
  if [ -e "$1/.git" ]; then echo checkout; return; fi
  held=$(ls -A -- "$1") || return 1
  [ -n "$held" ] || { echo empty; return; }
  echo "other a directory with $(echo "$held" | head -n 3 | tr '\n' ' ')"
}
# Over http the user is a credential too (a token); over ssh it is part of where the repository is.
origin() {
  g config --get remote.origin.url | sed -e 's#^\(https\{0,1\}://\)[^/]*@#\1#' -e 's#^\([a-z0-9+]*://[^/@:]*\):[^/]*@#\1@#'
}
edits() { g diff --no-renames --name-only HEAD -- && g diff --no-renames --name-only --cached HEAD --; }
checkout() {
  place=$1
  part "state $1" state "$1"
  [ -d "$1" ] && [ -e "$1/.git" ] && command -v git >/dev/null || return 0
  uid=$(stat -Lc %u -- "$1/.git") gid=$(stat -Lc %g -- "$1/.git")
  part "head $1" g rev-parse --verify --quiet HEAD
  part "origin $1" origin
  g rev-parse --verify --quiet HEAD >/dev/null 2>&1 || return 0
  part "tags $1" g tag --points-at HEAD
  part "edits $1" edits
  [ -z "$2" ] || ! g cat-file -e "$2^{commit}" 2>/dev/null || part "differs $1" g diff --no-renames --name-only "$2" --
}
"""
GIT_PART = "part git sh -c 'command -v git || true'\n"


@dataclass(frozen=True, slots=True)
class Checkout:
    """What is at a path: `state` is `absent`, `empty`, `checkout`, or what else it is.

    `head` is empty before the first commit. `edits` are tracked files that differ from `head` and from
    the wanted commit: what an interrupted checkout has already written is nobody's edit. `error` is why
    git could not tell.
    """

    state: str
    head: str = ""
    tags: tuple[str, ...] = ()
    url: str = ""
    edits: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class RepositoriesState:
    """Every looked at path, and whether git is installed."""

    git: bool
    checkouts: dict[str, Checkout]


class RepositoriesFact(Fact[RepositoriesState]):
    """The checkouts that are declared; `path=` when used alone."""

    section: ClassVar[str] = "repository"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One path after the other; paths are quoted, commits are hexadecimal."""
        wishes = [resource for resource in wanted if isinstance(resource, RepositoryResource)]
        return (
            FUNCTIONS + GIT_PART + "".join(quote("checkout", wish.name, wish.ref) + "\n" for wish in wishes)
        )

    def standalone(self, **arguments: object) -> str:
        """`path` is the checkout to look at (default: /opt/gonka), `ref` a commit to compare edits with."""
        path, ref = arguments.pop("path", "/opt/gonka"), arguments.pop("ref", "")
        if arguments:
            raise FactError(f"{self.section} takes path= and ref=")
        return FUNCTIONS + GIT_PART + quote("checkout", str(path), str(ref)) + "\n"

    def parse(self, text: str) -> RepositoriesState:
        """Understand the section; what git says against one checkout is kept with it."""
        parts = split_parts(text)
        git = bool(parts.need("git").text.strip())
        return RepositoriesState(git, {path: _checkout(parts, path) for path in parts.about("state")})


def _checkout(parts: Parts, path: str) -> Checkout:
    state = parts[f"state {path}"]
    if state.failed or not state.lines:
        return Checkout("unreadable", error=state.failed or "no answer")
    if state.lines[0] != "checkout" or f"head {path}" not in parts:
        return Checkout(state.lines[0])
    head, origin = parts[f"head {path}"], parts.told(f"origin {path}")
    if not head.text.strip():
        # Before the first commit git says nothing and ends with 1; everything else is an error.
        return Checkout("checkout", url=origin.text.strip(), error=head.failed if head.status > 1 else "")
    edits, tags = (parts.told(f"{name} {path}") for name in ("edits", "tags"))
    found = set(edits.lines)
    if (differs := parts.get(f"differs {path}")) is not None and not differs.failed:
        found &= set(differs.lines)
    return Checkout(
        "checkout",
        head=head.text.strip(),
        tags=tuple(tags.lines),
        url=origin.text.strip(),
        edits=tuple(sorted(found)),
        error=edits.failed,
    )


def observe_repository(state: RepositoriesState, resource: RepositoryResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Absent, unknown where something else is in the way, or what git says of the checkout."""
    found = state.checkouts.get(resource.name)
    if found is None:
        return not_looked_at(resource.name)
    if found.error:
        return Unknown(
            f"git cannot read {resource.name}: {found.error}", hint=f"run git status in {resource.name}"
        )
    if found.state in {"absent", "empty"}:
        return Absent()
    if found.state != "checkout":
        what = found.state.removeprefix("other ").strip()
        return Unknown(
            f"{resource.name} is no checkout but {what}", hint="move it away, or declare another path"
        )
    if not state.git:
        return Unknown(
            f"git is not installed, {resource.name} cannot be read", hint="install git", pending_on="package"
        )
    return _present(found, resource)


def _present(found: Checkout, resource: RepositoryResource) -> Present:
    moves = found.head != resource.ref
    edits = f"local edits: {_some(found.edits)}" if found.edits else ""
    reasons = [f"at {', '.join(found.tags)}"] if moves and found.tags else []
    blocked = bool(edits) and (moves or resource.clean is not None)
    return Present(
        {"url": found.url or None, "ref": found.head or "no commit yet", "clean": not found.edits},
        {"edits": list(found.edits)},
        reason="; ".join([*reasons, *filter(None, [edits])]),
        human="local edits are never overwritten: commit them elsewhere or revert them" if blocked else "",
    )


def _some(names: Sequence[str], shown: int = 3) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more


FACT = RepositoriesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Repositories", FACT, name)
