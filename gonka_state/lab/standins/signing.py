"""`inferenced tx …` and `query authz …`: what the account key signs, and what came of it (gonka-contract 6.2 to 6.4)."""

from __future__ import annotations

import base64
import json
import os
import time
from typing import TYPE_CHECKING

from gonka_state.core.bech32 import raw_address
from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.lab.standins import transactions
from gonka_state.lab.standins.chainclock import rfc3339
from gonka_state.lab.standins.commandline import Failed, Line, ask, say
from gonka_state.lab.standins.keyring import Keyring
from gonka_state.lab.standins.rpcclient import call, found, rpc, state
from gonka_state.lab.standins.versions import V2_SINCE, numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.lab.standins.jsons import Json

YEAR = 365 * 24 * 3600
FEES = [{"denom": "ngonka", "amount": "10000000000"}]
LOOKS, POLL = 20, 1.0
"""The real one looks every three seconds."""
PAIR = 2


def grant(line: Line) -> None:
    """Let the warm key act for the account key: `<account-key-NAME> <ml-operational-ADDRESS>`.

    Raises:
        Failed: no such key, no such account on the chain, or the transaction failed.
    """
    if len(line.words) != PAIR:
        raise Failed(f"accepts 2 arg(s), received {len(line.words)}")
    name, warm = line.words
    node = _node(line)
    try:
        raw_address(warm)
    except ValueError as error:
        raise Failed(f"invalid ML operational address: {error}") from error
    keyring = Keyring(line)
    record = keyring.key(name)
    if record is None:
        raise Failed(f"failed to get operator key info: {name}.info: key not found")
    cold = record["address"]
    _account(node, cold)
    until = rfc3339(time.time() + YEAR)
    modern = numbers(os.environ.get("STANDIN_VERSION", CURRENT)) >= V2_SINCE
    pair = {"granter": cold, "grantee": warm, "expiration": until}
    messages = [
        {"@type": transactions.GRANT, **pair, "msg": msg} for msg in RELEASES[CURRENT if modern else "0.2.0"]
    ]
    if modern and state(node, f"/cosmos/feegrant/v1beta1/allowance/{cold}/{warm}") is None:
        messages.append({"@type": transactions.ALLOWANCE, **pair, "spend_limit": FEES})
        say("Including new feegrant allowance from cold to warm in this transaction.")
    elif modern:
        say("Existing feegrant allowance from cold to warm detected; skipping MsgGrantAllowance.")
    digest = _send(node, _signer(keyring, line), messages)
    say(f"Transaction sent with hash: {digest}\nWaiting for transaction to be included in a block...")
    height = _confirmed(node, digest)
    say(f"\nTransaction confirmed successfully!\nBlock height: {height}")


def submit_participant(line: Line) -> None:
    """Register, or change URL and consensus key, with the account's own signature: `<URL>`."""
    url, node = line.word("url"), _node(line)
    keyring = Keyring(line)
    signer = _signer(keyring, line)
    _account(node, signer)
    key = line.flag("validator-key")
    message = {"@type": transactions.PARTICIPANT, "creator": signer, "url": url, "validator_key": key}
    if not line.on("yes"):
        say(json.dumps({"body": {"messages": [message]}}))
        if not ask("confirm transaction before signing and broadcasting [y/N]: ").lower().startswith("y"):
            raise Failed("canceled transaction")
    digest = _send(node, signer, [message])
    say(f'code: 0\ncodespace: ""\ndata: ""\nraw_log: ""\ntxhash: {digest}')


def query_grants(line: Line) -> None:
    """The grants between two accounts, as JSON: `<granter> <grantee>`."""
    if len(line.words) != PAIR:
        raise Failed(f"accepts between 2 and 3 arg(s), received {len(line.words)}")
    granter, grantee = line.words
    _show(line, f"/cosmos/authz/v1beta1/grants?granter={granter}&grantee={grantee}")


def query_grants_to(line: Line) -> None:
    """Every grant to one account, as JSON: `<grantee>`."""
    _show(line, f"/cosmos/authz/v1beta1/grants/grantee/{line.word('grantee')}")


def _show(line: Line, path: str) -> None:
    answer = state(line.flag("node", "tcp://localhost:26657"), path)
    if answer is None:
        raise Failed("rpc error: code = Unavailable")
    say(json.dumps(answer))


def _node(line: Line) -> str:
    """The node of `--node`, seen to answer: the chain's id comes from it."""
    node = line.flag("node", "tcp://localhost:26657").replace("tcp://", "http://", 1)
    status = found(rpc(node, "status"), timeout=10)
    if status is None:
        raise Failed(f"failed to query chain status for chain-id: {node} does not answer")
    say(f"Detected chain-id: {status['result']['node_info']['network']}")
    return node


def _account(node: str, address: str) -> None:
    if state(node, f"/cosmos/auth/v1beta1/accounts/{address}") is None:
        raise Failed(
            "failed to get account details: rpc error: code = NotFound desc = account"
            f" {address} not found: key not found"
        )


def _signer(keyring: Keyring, line: Line) -> str:
    name = line.flag("from")
    record = keyring.key(name) if name else None
    if record is None:
        raise Failed(f"{name or 'from'}.info: key not found")
    return str(record["address"])


def _send(node: str, signer: str, messages: Sequence[Json]) -> str:
    raw = base64.b64encode(json.dumps({"signer": signer, "messages": list(messages)}).encode()).decode()
    body = {"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": raw}}
    status, text = call(rpc(node, ""), body)
    if status != 200:  # noqa: PLR2004  (HTTP)
        raise Failed(f"error in json rpc client, with http response metadata: (Status: {status}): {text}")
    return str(json.loads(text)["result"]["hash"])


def _confirmed(node: str, digest: str) -> str:
    """The height of a transaction, once it is in a block.

    Raises:
        Failed: it failed, or is in none.
    """
    for _ in range(LOOKS):
        time.sleep(POLL)
        answer = found(rpc(node, f"tx?hash=0x{digest}"))
        if answer is None:
            continue
        result = answer["result"]
        if result["tx_result"]["code"]:
            raise Failed(
                f"\nTransaction {digest} included in block {result['height']} but failed with code"
                f" {result['tx_result']['code']}: {result['tx_result']['log']}"
            )
        return str(result["height"])
    raise Failed(f"\nTimed out waiting for transaction {digest} to be confirmed in a block")
