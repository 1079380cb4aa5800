"""The keyrings of a network host, read from file names alone; and whether the declared passphrase opens them.

A keyring of the file backend has `<name>.info` per key, `<40 hex>.address` with the address as its name,
and `keyhash`, the bcrypt hash of its passphrase (gonka-contract 6.1). The hash stays on the host: the
passphrase is tried there, by perl's crypt, and only the outcome travels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.keyring_files import key_addresses, key_names
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Part, pyinfra_fact, quote, split_parts
from gonka_state.resources.account import AccountResource
from gonka_state.resources.keyring import KeyringResource
from gonka_state.resources.warm_key import WarmKeyResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

MARK_LENGTH = 4
"""Hex digits of a salted digest: enough to notice another passphrase, too few to guess one from a snapshot."""

# A link that leads nowhere may be a disk that is not mounted: no sign that there are no keys.
_FUNCTIONS = r"""
names() {
  for place in "$1" "${1%/*}"; do
    [ -e "$place" ] || [ ! -L "$place" ] || { echo "$place is a dangling link" >&2; return 1; }
  done
  if ! said=$(stat -Lc %F -- "$1" 2>&1); then
    case $said in *'No such file'* | *'Not a directory'*) echo absent; return ;; esac
    echo "$said" >&2; return 1
  fi
  [ "$said" = directory ] || { echo "$1 is a $said" >&2; return 1; }
  echo there
  all=$(ls -A -- "$1") || return 1
  printf '%s\n' "$all" | grep -E '^(.+\.info|[0-9a-f]{40}\.address|keyhash)$' || true
}
tried() {
  [ -s "$1/keyhash" ] || { echo nothing; return; }
  command -v perl >/dev/null || { echo 'perl is not installed' >&2; return 127; }
  printf '%s' "$PASSWORD" | perl -e '
    open(my $file, "<", $ARGV[0]) or die "$!\n";
    local $/; my $hash = <$file>; my $word = <STDIN>; $hash =~ s/\s+\z//;
    my $made = crypt($word, $hash);
    die "crypt of this system does not know this kind of hash\n" unless defined $made && length $made == length $hash;
    print $made eq $hash ? "opens\n" : "refused\n";' "$1/keyhash"
}
marked() { printf '%s%s' "$SALT" "$PASSWORD" | sha256sum | cut -c1-MARK_LENGTH; }
registered() {
  [ -e "$1" ] && { echo unasked; return; }
  command -v curl >/dev/null || { echo 'curl is not installed' >&2; return 127; }
  case $(curl -s -o /dev/null -w '%{http_code}' --max-time "$WAIT" -- "$2/v2/participants/$3") in 200) echo yes; return ;; esac
  all=$(curl -sf --max-time "$WAIT" -- "$2/v1/participants") || { echo unanswered; return; }
  case $all in *"\"$3\""*) echo yes ;; *'"participants"'*) echo no ;; *) echo unanswered ;; esac
}
""".replace("MARK_LENGTH", str(MARK_LENGTH))


@dataclass(frozen=True, slots=True)
class Keys:
    """One keyring. `error` is why its names could not be read; `hashed` that it has a passphrase."""

    there: bool = False
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    hashed: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a passphrase: `opens`, `refused`, `nothing` to open. `mark` tells it from another one."""

    outcome: str
    mark: str
    salt: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class KeyringsState:
    """Every keyring by path; a passphrase tried, by path; `registered` (`yes`, `no`, or why not known) by account."""

    keyrings: dict[str, Keys]
    tried: dict[str, Tried] = field(default_factory=dict)
    registered: dict[str, str] = field(default_factory=dict)


class KeyringsFact(Fact[KeyringsState]):
    """File names of keyrings, the passphrase's trial, and whether an account is registered without its key."""

    section: ClassVar[str] = "keyring"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Each keyring once, and beside it the one that needs no passphrase, where no key should be."""
        lines = [_FUNCTIONS, f"SALT={quote(look.salt)} WAIT={max(look.http_timeout // 2, 1)}"]
        places = dict.fromkeys(place for resource in wanted for place in _places(resource))
        lines += [f"part {quote('names ' + place)} names {quote(place)}" for place in places]
        for resource in wanted:
            if isinstance(resource, KeyringResource):
                lines.append(f"PASSWORD={quote(resource.password.get_secret_value())}")
                lines.append(f"part {quote('tried ' + resource.name)} tried {quote(resource.name)}")
                lines.append(f"part {quote('mark ' + resource.name)} marked")
            elif isinstance(resource, WarmKeyResource) and resource.account:
                file = f"{resource.keyring}/{resource.name}.info"
                asked = quote(file, resource.public_api, resource.account)
                lines.append(f"part {quote('registered ' + resource.account)} registered {asked}")
        lines.append('part salt printf "%s\\n" "$SALT"')
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """`path` is the keyring to look at (default: the deployment's)."""
        path = str(arguments.pop("path", "/opt/gonka/deploy/join/.inference/keyring-file"))
        if arguments:
            raise FactError(f"{self.section} takes path=")
        return self.script([AccountResource(name="account", keyring=path)], Look())

    def parse(self, text: str) -> KeyringsState:
        """Understand the section; a keyring that cannot be read carries its error."""
        parts = split_parts(text)
        salt = parts.need("salt").text.strip()
        return KeyringsState(
            {path: _keys(part) for path, part in parts.about("names").items()},
            {
                path: Tried(part.text.strip(), parts.told(f"mark {path}").text.strip(), salt, part.failed)
                for path, part in parts.about("tried").items()
            },
            {
                account: part.failed or part.text.strip()
                for account, part in parts.about("registered").items()
            },
        )


def unlocked_sibling(keyring: str) -> str:
    """The keyring of the `test` backend beside this one: its passphrase is known to everybody."""
    return f"{keyring.rpartition('/')[0]}/keyring-test"


def _places(resource: Resource) -> tuple[str, ...]:
    if isinstance(resource, AccountResource):
        return resource.keyring, unlocked_sibling(resource.keyring)
    return (resource.keyring if isinstance(resource, WarmKeyResource) else resource.name,)


def _keys(part: Part) -> Keys:
    if part.failed:
        return Keys(error=part.failed)
    state, *names = part.lines or [""]
    if state not in {"there", "absent"}:
        return Keys(error="no answer")
    return Keys(
        there=state == "there",
        names=key_names(names),
        addresses=key_addresses(names),
        hashed="keyhash" in names,
    )


FACT = KeyringsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Keyrings", FACT, name)
