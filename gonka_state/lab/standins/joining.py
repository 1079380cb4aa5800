"""`inferenced register-new-participant` and what a node tells about itself (gonka-contract 6.2, 6.4)."""

from __future__ import annotations

import json
import os
import time

from gonka_state.core.bech32 import account_address
from gonka_state.lab.standins.commandline import Failed, Line, say
from gonka_state.lab.standins.rpcclient import call, found
from gonka_state.lab.standins.versions import CURRENT, V2_SINCE, numbers

PATIENCE, POLL = 30.0, 2.0
ARGUMENTS = 2


def register(line: Line) -> None:
    """Ask the seed to make account and participant. No keyring and no passphrase; never twice.

    Raises:
        Failed: the seed refuses, or the node's consensus key cannot be read.
    """
    if len(line.words) != ARGUMENTS:
        raise Failed(f"accepts 2 arg(s), received {len(line.words)}")
    url, pubkey = line.words
    seed = line.flag("node-address").rstrip("/")
    if not seed:
        raise Failed('required flag(s) "node-address" not set')
    try:
        address = account_address(pubkey)
    except ValueError as error:
        raise Failed(
            f"failed to extract address from account public key: failed to decode public key: {error}"
        ) from error
    key, source = _consensus_key(line.flag("consensus-key"))
    body = {"address": address, "url": url, "validator_key": key, "pub_key": pubkey, "worker_key": ""}
    say(f"Registering new participant:\n  Node URL: {url}\n  Account Address: {address}")
    say(f"  Account Public Key: {pubkey}\n  Validator Consensus Key: {key} ({source})")
    say(f"  Seed Node Address: {seed}\nSending registration request to {seed}/v1/participants")
    try:
        status, said = call(f"{seed}/v1/participants", body)
    except Failed as error:
        raise Failed(f"failed to send HTTP request: {error}") from error
    say(f"Response status code: {status}")
    if status // 100 != 2:  # noqa: PLR2004  (2xx)
        raise Failed(f"server returned status {status}: {said}")
    say("Participant registration successful.")
    say(f"Waiting for participant to be available (timeout: {PATIENCE:.0f} seconds)...")
    _wait(seed, address)


def _consensus_key(given: str) -> tuple[str, str]:
    """The key of the flag, else of the chain node beside this container."""
    if given:
        say("Using provided consensus key (validated)")
        return given, "provided"
    say("No consensus key provided, attempting to auto-fetch from chain node...")
    place = os.environ.get("DAPI_CHAIN_NODE__URL", "")
    if not place:
        raise Failed(
            "failed to auto-fetch consensus key: DAPI_CHAIN_NODE__URL environment variable is not set"
        )
    status = found(f"{place}/status", timeout=10)
    key = status["result"]["validator_info"]["pub_key"]["value"] if status else ""
    if not key:
        raise Failed("failed to auto-fetch consensus key: node RPC endpoint not responding")
    say("Successfully auto-fetched and validated consensus key from chain node")
    return key, "auto-fetched"


def _wait(seed: str, address: str) -> None:
    """Look until the participant is there. That it never shows is a warning, not a failure."""
    modern = numbers(os.environ.get("STANDIN_VERSION", CURRENT)) >= V2_SINCE
    place = f"{seed}/v{2 if modern else 1}/participants/{address}"
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        time.sleep(POLL)
        answer = found(place)
        if answer is None:
            continue
        say()
        if modern:
            url = answer["participant"]["inference_url"]
            say(f"Found participant: {address} (url: {url}, status: {answer['participant']['status']})")
        else:
            say(f"Found participant with pubkey: {answer['pubkey']} (balance: {answer['balance']})")
        say(f"Participant is now available at {place}")
        return
    say(f"\nWarning: timeout after {PATIENCE:.0f}s waiting for participant to be available")
    say(f"You can manually check your participant at {place}")


def show_validator(line: Line) -> None:  # noqa: ARG001 (every command's signature)
    """The consensus key of the node in this container."""
    status = found("http://localhost:26657/status")
    if status is None:
        raise Failed("failed to read the private validator")
    key = status["result"]["validator_info"]["pub_key"]["value"]
    say(json.dumps({"@type": "/cosmos.crypto.ed25519.PubKey", "key": key}, separators=(",", ":")))


def show_node_id(line: Line) -> None:  # noqa: ARG001 (every command's signature)
    """The P2P identity of the node in this container."""
    status = found("http://localhost:26657/status")
    if status is None:
        raise Failed("failed to read the node key")
    say(status["result"]["node_info"]["id"])
