"""What transactions do to the ledger: grants, a fee allowance, and a registration by the account's own key.

An upsert by the account key: gonka-contract 6.2; grants that are renewed, and one allowance: 6.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.lab.standins.ledger import Entry

GRANT = "/cosmos.authz.v1beta1.MsgGrant"
ALLOWANCE = "/cosmos.feegrant.v1beta1.MsgGrantAllowance"
PARTICIPANT = "/inference.inference.MsgSubmitNewParticipant"


def carry_out(value: Entry, signed: Mapping[str, Any], block: Entry) -> str:
    """Carry out every message of a transaction, or none; the log of what is wrong, empty when nothing is."""
    signer = str(signed.get("signer", ""))
    messages = list(signed.get("messages", ()))
    for message in messages:
        if message.get("granter", message.get("creator")) != signer:
            return "signature verification failed: unauthorized"
        if message["@type"] == ALLOWANCE and Ledger(value).allowance(message["granter"], message["grantee"]):
            return "fee allowance already exists"
    for message in messages:
        _DO[message["@type"]](value, message, block)
    return ""


def _grant(value: Entry, message: Mapping[str, Any], block: Entry) -> None:  # noqa: ARG001 (as all of them)
    names = ("granter", "grantee", "msg")
    new = {name: message[name] for name in (*names, "expiration")}
    same = [item for item in value["grants"] if all(item[name] == new[name] for name in names)]
    for item in same:
        value["grants"].remove(item)
    value["grants"].append(new)


def _allow(value: Entry, message: Mapping[str, Any], block: Entry) -> None:  # noqa: ARG001 (as all of them)
    value["allowances"].append({key: item for key, item in message.items() if key != "@type"})


def _participate(value: Entry, message: Mapping[str, Any], block: Entry) -> None:
    """Add or change: this is the way in for an account that exists, and for a new URL or consensus key."""
    address = message["creator"]
    before = value["participants"].get(address)
    known = {key: str(message.get(key) or "") for key in ("url", "validator_key", "worker_key")}
    value["participants"][address] = {**(before or block), **known}


_DO = {GRANT: _grant, ALLOWANCE: _allow, PARTICIPANT: _participate}
