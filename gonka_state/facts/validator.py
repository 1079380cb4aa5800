"""Whether the chain holds the account's validator as jailed, as one section of the network host.

Source: the own chain node's REST, GET /cosmos/staking/v1beta1/delegators/ADDRESS/validators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.base import quote, split_parts
from gonka_state.facts.chain_shell import OK, REST_PORT, SHELL, answered
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from gonka_state.facts.base import Look
    from gonka_state.facts.snapshot import HostLook

SECTION = "validator"

_SCRIPT = r"""
asked() {
  seat container node
  [ -z "$ip" ] || fetch validators "http://$ip:$PORT/cosmos/staking/v1beta1/delegators/$COLD/validators"
}
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain says. `problem`: it could not be asked; `jailed` is None where the account has no validator."""

    problem: str = ""
    jailed: bool | None = None


def script(address: str, look: Look) -> str:
    """POSIX sh: one request. `address` is the account's."""
    values = f"WAIT={max(look.http_timeout // 2, 1)} PORT={REST_PORT} COLD={quote(address)}"
    return f"{SHELL}\n{_SCRIPT}\n{values}\nasked\npart end echo end"


def parse(text: str) -> Standing:
    """Understand the section.

    Raises:
        FactError: it was cut short, or the chain answers with something else.
    """
    parts = split_parts(text)
    parts.need("end")
    code, said = answered(parts.get("validators"))
    if code != OK:
        part = parts.get("validators", parts.told("container"))
        return Standing(f"the chain node does not say: {part.failed or f'it answers {code}'}")
    try:
        found = [bool(item["jailed"]) for item in said["validators"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FactError(f"the chain's answer cannot be understood: {type(error).__name__} {error}") from error
    return Standing("", any(found) if found else None)


def read(look: HostLook | None) -> Standing | str:
    """What a host's look says, or why it says nothing."""
    return understood(look, SECTION, parse)
