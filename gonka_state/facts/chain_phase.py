"""The phase of the chain, and whether the cluster serves in this epoch, as one section of the network host's look.

Sources: public API, GET /v1/epochs/latest and GET /v1/epochs/current/participants (gonka-contract 2), read from the
host's own API, else from the seed node; the warm key's file in the keyring (gonka-contract 6.1). Safe is only what
gonka-contract 7 calls safe.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonka_state.core.chain import SAFE_PHASE, UNREAD, Chain
from gonka_state.errors import FactError
from gonka_state.facts.base import Look, Parts, quote, split_parts
from gonka_state.facts.snapshot import answer_of

if TYPE_CHECKING:
    from gonka_state.core.chain import ChainSource
    from gonka_state.facts.snapshot import HostLook

SECTION = "chain-phase"

MARGIN = 240
"""Blocks before the next PoC in which nothing is disturbed: a model takes up to 20 minutes to load again
(gonka-contract 4.3), and blocks may come every 5 seconds."""

# Every function asks one API after the other until one answers.
FUNCTIONS = r"""
get() { curl -sS --max-time "$WAIT" -- "$1"; }
warm() {
  IFS= _f=
  for _f in $1; do [ -e "$_f" ] && { echo yes; return; }; done
  # Behind a link to nowhere, or in a closed directory, it may be all the same.
  while [ -n "$_f" ] && ! [ -e "$_f" ] && ! [ -L "$_f" ]; do _f=${_f%/*}; done
  if [ -n "$1" ] && [ -r "${_f:-/}" ] && [ -x "${_f:-/}" ]; then echo no; else echo unknown; fi
}
epoch() { for _u in "$@"; do _a=$(get "$_u/v1/epochs/latest") && case $_a in *'"phase"'*) printf '%s' "$_a"; return ;; esac; done; return 1; }
member() {
  _who=$1; shift
  for _u in "$@"; do
    _a=$(get "$_u/v1/epochs/current/participants") || continue
    case $_a in *'"active_participants"'*) case $_a in *"$_who"*) echo yes ;; *) echo no ;; esac; return ;; esac
  done
  return 1
}
"""


def script(source: ChainSource, look: Look) -> str:
    """POSIX sh: the key's file, and up to two requests to each API until one answers."""
    apis = quote(*source.apis)
    lines = [FUNCTIONS, f"WAIT={max(look.http_timeout // 2, 1)}", f"part warm warm {quote(source.keyring)}"]
    lines.append(f"part epoch epoch {apis}")
    if source.address:
        lines.append(f"part member member {quote(source.address)} {apis}")
    return "\n".join(lines)


def parse(text: str) -> Chain:
    """What the section says; what could not be read counts against disturbing the cluster.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    warm, member = parts.need("warm").text.strip(), _member(parts)
    serving = member == "yes" or (warm != "no" and member != "no")
    answer = parts.get("epoch")
    if answer is None or answer.failed:
        return Chain(serving, why=f"{UNREAD.why}: no API answers" if serving else "")
    try:
        return _judge(serving, json.loads(answer.text))
    except (ValueError, KeyError, TypeError):
        return Chain(serving, why=f"{UNREAD.why}: the API answers {answer.text[:60]!r}")


def _member(parts: Parts) -> str:
    part = parts.get("member")
    return part.text.strip() if part is not None and not part.failed else ""


def _judge(serving: bool, said: Any) -> Chain:  # noqa: FBT001, ANN401 (a value of the look; JSON)
    stages = said["epoch_stages"]
    height, phase = int(said["block_height"]), str(said["phase"])
    begins, next_poc = int(stages["set_new_validators"]), int(stages["next_poc_start"])
    why = ""
    if phase != SAFE_PHASE:
        why = f"the chain is in {phase}, {SAFE_PHASE} begins at block {begins} ({max(begins - height, 0)} to go)"
    elif said.get("is_confirmation_poc_active"):
        why = "a confirmation PoC is running"
    elif height <= begins:
        why = f"the new validators are not set yet (block {begins}, {begins - height} to go)"
    elif next_poc - height < MARGIN:
        why = f"the next PoC begins in {next_poc - height} blocks, a node may not be back by then"
    return Chain(serving, phase, height, next_poc, why)


def read(look: HostLook | None) -> Chain:
    """The chain as its host's look tells it; where that does not, the reason why nobody knows."""
    answer = answer_of(look, SECTION)
    if answer.unknown:
        return Chain(serving=True, why=f"{UNREAD.why}: {answer.unknown}")
    try:
        return parse(answer.text)
    except FactError as error:
        return Chain(serving=True, why=f"{UNREAD.why}: {error}")
