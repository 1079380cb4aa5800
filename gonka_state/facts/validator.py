"""What the chain holds against a cluster, as one section of the network host: a jailed validator, an unclaimed reward.

Sources, all on the own chain node's REST (gonka-contract 6.4, 7): the account's validators, and its performance
summary of the epoch before the current one; the epoch from GET /v1/epochs/latest of the own API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError
from gonka_state.facts.base import Parts, quote, split_parts
from gonka_state.facts.chain_shell import OK, SHELL, answered
from gonka_state.facts.snapshot import answer_of

if TYPE_CHECKING:
    from gonka_state.facts.base import Look
    from gonka_state.facts.snapshot import HostLook

SECTION = "validator"
_NOT_FOUND = 404

_SCRIPT = r"""
asked() {
  seat container node
  [ -n "$ip" ] || return 0
  rest="http://$ip:1317"
  fetch validators "$rest/cosmos/staking/v1beta1/delegators/$COLD/validators"
  fetch epoch "$API/v1/epochs/latest"
  index=$(printf '%s' "$said" | tr -d ' \n' | sed -n 's/.*"latest_epoch":{[^}]*"index":\([0-9]*\).*/\1/p')
  [ "${index:-0}" -lt 1 ] || fetch summary "$rest/productscience/inference/inference/epoch_performance_summary/$((index - 1))/$COLD"
}
"""


@dataclass(frozen=True, slots=True)
class Reward:
    """One epoch's result. `due`: the chain takes claims of it by now; coins are in ngonka."""

    epoch: int
    claimed: bool
    rewarded: int
    earned: int
    requests: int
    missed: int
    due: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain says. `problem`: it could not be asked; `jailed` is None where the account has no validator.

    `reward` is None where it took no part in the last epoch, or the epoch is not known (`epoch_problem`).
    """

    problem: str = ""
    jailed: bool | None = None
    reward: Reward | None = None
    epoch_problem: str = ""


def script(address: str, api: str, look: Look) -> str:
    """POSIX sh: three requests. `address` is the account's, `api` the own public API's base URL."""
    values = f"WAIT={max(look.http_timeout // 2, 1)} COLD={quote(address)} API={quote(api)}"
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
        reward, problem = _reward(parts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FactError(f"the chain's answer cannot be understood: {type(error).__name__} {error}") from error
    return Standing("", any(found) if found else None, reward, problem)


def _reward(parts: Parts) -> tuple[Reward | None, str]:
    code, epoch = answered(parts.get("epoch"))
    if code != OK or epoch is None:
        return None, f"the public API does not tell the epoch: {_why(parts, 'epoch', code)}"
    if "summary" not in parts:
        return None, ""
    code, said = answered(parts["summary"])
    if code == _NOT_FOUND:
        return None, ""
    if code != OK:
        return None, f"the chain node does not tell the last epoch's reward: {_why(parts, 'summary', code)}"
    summary: dict[str, Any] = said.get("epochPerformanceSummary") or said["epoch_performance_summary"]
    numbers = {name: int(summary.get(name) or 0) for name in _NUMBERS}
    stages = epoch["epoch_stages"]
    due = int(epoch["block_height"]) > int(stages["claim_money"]) + GRACE
    return Reward(
        int(epoch["latest_epoch"]["index"]) - 1,
        bool(summary.get("claimed")),
        numbers["rewarded_coins"],
        numbers["earned_coins"],
        numbers["inference_count"],
        numbers["missed_requests"],
        due,
    ), ""


GRACE = 100
"""Blocks that the API has to claim a reward by itself."""

_NUMBERS = ("rewarded_coins", "earned_coins", "inference_count", "missed_requests")


def _why(parts: Parts, name: str, code: int) -> str:
    part = parts.get(name)
    return "not asked" if part is None else part.failed or f"it answers {code}"


def read(look: HostLook | None) -> Standing | str:
    """What a host's look says, or why it says nothing."""
    answer = answer_of(look, SECTION)
    if answer.unknown:
        return answer.unknown
    try:
        return parse(answer.text)
    except FactError as error:
        return str(error)
