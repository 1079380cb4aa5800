"""What the chain says about the cluster: is it registered, with which URL and key, and what is granted to whom.

The seed node is asked first, and the own chain node where the seed does not say (gonka-contract 2 "Proof of
registration", 6.4). Grants are read by granter: that is how the chain keys them, and it also tells who got
them instead of the warm key. Addresses of the warm key are file names of its keyring (gonka-contract 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.facts.chain_shell import SHELL
from gonka_state.facts.membership_read import Membership, read_membership
from gonka_state.resources.grants import GrantsResource
from gonka_state.resources.registration import RegistrationResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

# Questions stop as soon as one answer is definite: of the seed by its address, by the chain's REST, by its list;
# then of the own node. A seed that cannot even be connected to is asked nothing more.
_FUNCTIONS = r"""
PARTICIPANT=/productscience/inference/inference/participant
definite() { case $code in 200) return 0 ;; 404) case $said in *'"code":5'* | *'"code": 5'*) return 0 ;; esac ;; esac; return 1; }
listed() {
  get "$2"
  whole=no; case $said in *'"participants"'*) whole=yes ;; esac
  [ "$rc" != 0 ] || said=$(printf '%s\n' "$said" | tr '{' '\n' | grep -F "\"$COLD\"" | head -n 1; printf '%s %s\n' "$whole" "$code")
  part "$1" told
}
registered() {
  fetch versions "$SEED/v1/versions"; away=$rc
  if [ "$away" = 0 ]; then
    fetch v2 "$SEED/v2/participants/$COLD"; [ "$code" = 200 ] && return
    fetch rest "$SEED/chain-api$PARTICIPANT/$COLD"; definite && { [ "$code" = 200 ] || fetch account "$SEED/v1/participants/$COLD"; return; }
    listed list "$SEED/v1/participants"
  fi
  [ -z "$ip" ] || { fetch own "http://$ip:1317$PARTICIPANT/$COLD"; definite || [ "$away" = 0 ] || return; }
  if [ "$away" = 0 ]; then fetch account "$SEED/v1/participants/$COLD"
  elif [ -n "$ip" ] && [ "$code" = 404 ]; then fetch account "http://$ip:1317/cosmos/auth/v1beta1/accounts/$COLD"; fi
}
pages() {
  key= whole= n=0
  while n=$((n + 1)); [ "$n" -le 20 ]; do
    get "$2?pagination.limit=200&pagination.key=$key"
    [ "$rc" = 0 ] && [ "$code" = 200 ] || break
    whole="$whole$(printf '%s\n' "$said" | sed '$d')
"
    key=$(printf '%s\n' "$said" | sed -n 's/.*"next_key": *"\([^"]*\)".*/\1/p' | sed 's/+/%2B/g; s,/,%2F,g; s/=/%3D/g')
    [ -n "$key" ] || { said="$whole$code"; break; }
  done
  part "$1" told
}
granted() {
  base=; [ "$away" != 0 ] || { base="$SEED/chain-api"; pages grants-seed "$base/cosmos/authz/v1beta1/grants/granter/$COLD"; }
  if [ -z "$base" ] || [ "$rc" != 0 ] || [ "$code" != 200 ]; then
    [ -n "$ip" ] || return
    base="http://$ip:1317"; pages grants-own "$base/cosmos/authz/v1beta1/grants/granter/$COLD"
  fi
  for grantee in $(printf '%s\n' "$said" | tr ',{' '\n\n' | sed -n 's/.*"grantee": *"\([a-z0-9]*\)".*/\1/p' | sort -u | head -n 5); do
    fetch "allowance $grantee" "$base/cosmos/feegrant/v1beta1/allowance/$COLD/$grantee"
  done
}
files() { [ -d "$1" ] || { [ -e "$1" ] || [ -L "$1" ] || { echo none; return; }; echo "$1 is no directory" >&2; return 1; }; ls -A -- "$1"; }
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked about, and of whom."""

    address: str
    seed: str
    keyring: str
    node: str = "node"
    grants: bool = True


class MembershipFact(Fact[Membership]):
    """The cluster on the chain. As a plain fact it takes `address=`, `seed=` and `keyring=`."""

    section: ClassVar[str] = "membership"
    deadline: ClassVar[int | None] = 60

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Some requests to the seed node, one account per host."""
        asked = [item for item in wanted if isinstance(item, (RegistrationResource, GrantsResource))]
        keyring = next((item.keyring for item in asked if isinstance(item, GrantsResource)), "")
        grants = any(isinstance(item, GrantsResource) for item in asked)
        first = asked[0]
        wait = max(look.http_timeout // 2, 1)
        return _script(_Asked(first.name, first.seed_api, keyring, first.node, grants=grants), wait)

    def standalone(self, **arguments: object) -> str:
        """The script for one account."""
        given = {name: str(arguments.pop(name, "")) for name in ("address", "seed", "keyring")}
        if arguments:
            raise FactError(f"{self.section} takes address=, seed= and keyring=")
        return _script(_Asked(given["address"], given["seed"], given["keyring"]), 5)

    def parse(self, text: str) -> Membership:
        """Understand the section."""
        return read_membership(split_parts(text))


def _script(asked: _Asked, wait: int) -> str:
    lines = [
        SHELL,
        _FUNCTIONS,
        f"WAIT={wait} COLD={quote(asked.address)} SEED={quote(asked.seed.rstrip('/'))}",
    ]
    lines += [f"node {quote(asked.node)}", "registered"]
    lines += ["granted"] if asked.grants else []
    lines += [f"part files files {quote(asked.keyring)}"] if asked.keyring else []
    return "\n".join([*lines, "part end echo end"])


FACT = MembershipFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Membership", FACT, name)
