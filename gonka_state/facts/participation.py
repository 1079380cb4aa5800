"""What would be lost if the cluster stopped now: its part in the current epoch, and the last epoch's reward.

Sources: public API, GET /v1/epochs/latest and GET /v1/epochs/current/participants (gonka-contract 2); the chain's REST
behind `/chain-api`, GET epoch_performance_summary/EPOCH/ADDRESS (gonka-contract 6.4, 7 "Decommission"). The first API
that answers counts. An epoch's reward is claimed by the API container, after the next epoch's block `claim_money`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.facts import picked
from gonka_state.facts.admin_api import read_answer
from gonka_state.facts.api_answers import nodes_in_epoch
from gonka_state.facts.base import Look, Part, Parts, quote, split_parts
from gonka_state.facts.chain_phase import FUNCTIONS
from gonka_state.facts.nodes import OWN, PARTICIPANTS
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from gonka_state.core.chain import ChainSource
    from gonka_state.facts.snapshot import HostLook

SECTION = "participation"

_OK, _NOT_FOUND, _NO_SUCH_KEY = 200, 404, 5

_SCRIPT = r"""
latest() { printf '%s' "$1" | tr -d ' \t\n' | sed -n 's/.*"latest_epoch":{[^}]*"index":"\{0,1\}\([0-9][0-9]*\).*/\1/p'; }
mine() {
  _keep=$1 _who=$2; shift 2
  for _u in "$@"; do
    _a=$(own "$WAIT" "$_u/v1/epochs/current/participants" "$_keep" "$_who" -)
    case $_a in *' 200') printf '%s\n' "$_a"; return ;; esac
  done
  echo 'no API answers' >&2; return 1
}
summary() {
  _who=$1 _epoch=$2; shift 2
  for _u in "$@"; do
    _a=$(curl -sS --max-time "$WAIT" -w '\n%{http_code}' -- "$_u/chain-api/productscience/inference/inference/epoch_performance_summary/$_epoch/$_who") || continue
    case $_a in *'erformance'*[Ss]'ummary"'* | *'"code":5'* | *'"code": 5'*) printf '%s\n' "$_a"; return ;; esac
  done
  echo 'no API answers' >&2; return 1
}
"""


@dataclass(frozen=True, slots=True)
class Participation:
    """What the chain owes the cluster. `problem` says why nobody knows; then nothing else is told.

    `nodes` are the ML nodes with which it takes part in `epoch`; `claimed` is false while the reward of the epoch before
    waits. `height`, `ends` (of the epoch), `claims` (from when the last epoch's reward is claimed) and `claims_next` (this
    epoch's) are blocks.
    """

    problem: str = ""
    epoch: int = 0
    nodes: frozenset[str] = frozenset()
    claimed: bool = True
    height: int = 0
    ends: int = 0
    claims: int = 0
    claims_next: int = 0


NOTHING = Participation()
"""No key is there with which it could take part, and the chain shows no part of it."""


def script(source: ChainSource, look: Look) -> str:
    """POSIX sh: the key's file, and one request to each API until one answers, three times."""
    apis, who = quote(*source.apis), quote(source.address)
    lines = [picked.PICK, OWN, FUNCTIONS, _SCRIPT, f"WAIT={max(look.http_timeout // 2, 1)}"]
    lines += [f"part warm warm {quote(source.keyring)}"]
    if source.address:
        lines += [f"said=$(epoch {apis}); part epoch printf '%s' \"$said\""]
        lines += [f"part mine mine {quote(PARTICIPANTS)} {who} {apis}"]
        lines += [f'at=$(latest "$said"); [ -z "$at" ] || part summary summary {who} "$((at - 1))" {apis}']
    return "\n".join(lines)


def parse(text: str) -> Participation:
    """What the section says; what could not be read is a problem, never nothing.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    without = parts.need("warm").text.strip() == "no"
    found = _told(parts)
    return NOTHING if without and found.problem and not _shown(parts) else found


def _told(parts: Parts) -> Participation:
    if "epoch" not in parts:
        return Participation("the account's public key is not set on this machine")
    try:
        return _read(parts)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Participation("the chain's answers cannot be understood")


def _shown(parts: Parts) -> bool:
    """Whether the chain counts us among its participants, whatever else could not be read."""
    part = parts.get("mine")
    return part is not None and not part.failed and nodes_in_epoch(picked.read(part.text)) is not None


def _read(parts: Parts) -> Participation:
    said = json.loads(parts["epoch"].text) if parts["epoch"].text.strip() else None
    if said is None or parts.told("mine").failed or parts.told("summary").failed:
        return Participation("no API answers")
    stages, following = said["epoch_stages"], said["next_epoch_stages"]
    mine = picked.read(parts["mine"].text)
    if not mine.whole:
        return Participation("the list of participants cannot be understood")
    return Participation(
        epoch=int(said["latest_epoch"]["index"]),
        nodes=nodes_in_epoch(mine) or frozenset(),
        claimed=_claimed(parts["summary"]),
        height=int(said["block_height"]),
        ends=int(stages["next_poc_start"]),
        claims=int(stages["claim_money"]),
        claims_next=int(following["claim_money"]),
    )


def _claimed(part: Part) -> bool:
    """Whether nothing is left to claim. A value that is false or zero may be left out."""
    status, body = read_answer(part)
    said: Any = json.loads(body)
    if status == _NOT_FOUND and said["code"] == _NO_SUCH_KEY:
        return True
    if status != _OK:
        raise ValueError(status)
    found = said.get("epochPerformanceSummary") or said["epoch_performance_summary"]
    return found.get("claimed") is True or int(found.get("rewarded_coins") or 0) == 0


def read(look: HostLook | None) -> Participation:
    """What its host's look tells; where that does not, the reason why nobody knows."""
    found = understood(look, SECTION, parse)
    return Participation(found) if isinstance(found, str) else found
