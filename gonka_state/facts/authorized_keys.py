"""Keys that may log in as a user, from the files that sshd reads; their options never leave the host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Observation, Present, Unknown, Unmanaged, Value, not_looked_at
from gonka_state.core.ssh_key import fingerprint
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Part, pyinfra_fact, quote, split_parts
from gonka_state.resources.authorized_keys import AuthorizedKeysResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

# Of a line only the key and its comment are printed: options may hold commands and environments of others.
_FUNCTIONS = r"""
keys() {
  entry=$(getent passwd "$1") || { echo 'no user'; return; }
  home=$(echo "$entry" | cut -d : -f 6)
  names=$(sshd -T -C "user=$1,host=localhost,addr=127.0.0.1" 2>/dev/null | sed -n 's/^authorizedkeysfile //p')
  for name in ${names:-.ssh/authorized_keys}; do
    [ "$name" != none ] || continue
    file=$(printf '%s' "$name" | sed "s|%%|\x01|g; s|%h|$home|g; s|%u|$1|g; s|\x01|%|g")
    case $file in /*) ;; *) file=$home/$file ;; esac
    printf 'F %s\n' "$file"
    [ ! -f "$file" ] || awk '
      /^[ \t]*#/ { next }
      match($0, /(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+[ \t]+AAAA[A-Za-z0-9+\/]+=*/) { print "K " substr($0, RSTART) }
    ' "$file" || return 1
  done
}
"""


@dataclass(frozen=True, slots=True)
class User:
    """The file that sshd reads first for a user, and each key by fingerprint: its type and comment.

    `error` says why they could not be read.
    """

    file: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


class AuthorizedKeysFact(Fact[dict[str, User]]):
    """The users that are declared; `user=` when used alone."""

    section: ClassVar[str] = "authorized-keys"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One user after the other."""
        names = [resource.name for resource in wanted if isinstance(resource, AuthorizedKeysResource)]
        return _FUNCTIONS + "".join(quote("part", f"user {name}", "keys", name) + "\n" for name in names)

    def standalone(self, **arguments: object) -> str:
        """`user=`: whose keys to look at (default: ubuntu)."""
        name = str(arguments.pop("user", "ubuntu"))
        if arguments:
            raise FactError(f"{self.section} takes user=")
        return _FUNCTIONS + quote("part", f"user {name}", "keys", name) + "\n"

    def parse(self, text: str) -> dict[str, User]:
        """Understand the section: users by name."""
        parts = split_parts(text)
        return {name: _user(part) for name, part in parts.about("user").items()}


def _user(part: Part) -> User:
    if part.failed:
        return User(error=part.failed)
    if part.text.strip() == "no user":
        return User(error="there is no such user")
    files = [line[2:] for line in part.lines if line.startswith("F ")]
    if not files:
        return User(error="sshd reads no file of keys")
    found: dict[str, str] = {}
    for line in part.lines:
        words = line.split(None, 3)
        if words[:1] != ["K"] or len(words) < 3:  # noqa: PLR2004 (the mark, a type, a key)
            continue
        try:
            found.setdefault(fingerprint(words[2]), " ".join([words[1], *words[3:]]))
        except ValueError:
            continue  # sshd passes over it, too
    return User(files[0], found)


def observe_keys(state: dict[str, User], resource: AuthorizedKeysResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Which of the declared keys are there."""
    user = state.get(resource.name)
    if user is None:
        return not_looked_at(resource.name)
    if user.error:
        return Unknown(f"keys of {resource.name} cannot be read: {user.error}")
    wanted = _labels(resource)
    there = {mark: label for mark, label in wanted.items() if mark in user.keys}
    missing = [line for mark, line in resource.by_fingerprint().items() if mark not in user.keys]
    return Present({"keys": there}, {"file": user.file, "missing": missing})


def wanted_keys(state: dict[str, User], resource: AuthorizedKeysResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind's signature)
    """Every declared key, by fingerprint."""
    return {"keys": _labels(resource)}


def _labels(resource: AuthorizedKeysResource) -> dict[str, str]:
    lines = resource.by_fingerprint()
    return {mark: " ".join([line.split(" ")[0], *line.split(" ")[2:]]) for mark, line in lines.items()}


def unmanaged_keys(
    state: dict[str, User], declared: Sequence[AuthorizedKeysResource], here: Here
) -> list[Unmanaged]:
    """Keys of declared users that nobody declared."""
    return [
        Unmanaged(here.host, AuthorizedKeysResource.kind, f"{wish.name} {mark}", label)
        for wish in declared
        for mark, label in state.get(wish.name, User()).keys.items()
        if mark not in wish.by_fingerprint()
    ]


FACT = AuthorizedKeysFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("AuthorizedKeys", FACT, name)
