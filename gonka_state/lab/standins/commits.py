"""Who signed which block: told by chain nodes, kept by the seed, which notices a block that two have signed.

That no block may be signed twice: gonka-contract 7, "Double-sign rules".
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import sys
import threading
import urllib.request
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from gonka_state.lab.standins import chainclock, web

if TYPE_CHECKING:
    from collections.abc import Sequence

KEPT = 1000
"""Blocks."""


@dataclass(frozen=True)
class Signature:
    """A block signed with a consensus key (base64), by a signer."""

    height: int
    key: str
    signer: str


def address_of(key: str) -> str:
    """A validator's address: the first twenty bytes of its public key's SHA-256, in upper-case hex."""
    try:
        raw = base64.b64decode(key, validate=True)
    except binascii.Error:
        raw = key.encode()
    return hashlib.sha256(raw).hexdigest()[:40].upper()


def tell(host: str, port: int, signatures: Sequence[Signature]) -> None:
    """Hand signatures on to a peer; one that does not answer never learns of them."""
    for signature in signatures:
        request = urllib.request.Request(f"http://{host}:{port}/", json.dumps(asdict(signature)).encode())
        with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=2):  # noqa: S310 (the lab's own)
            pass


class Commits:
    """The signatures of the newest blocks, by height and key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signers: dict[tuple[int, str], str] = {}

    def hear(self, request: web.Request) -> web.Reply:
        """Take one signature, and write it into the log; a second signer of the same block is a double signature."""
        signature = Signature(**json.loads(request.body))
        place = (signature.height, signature.key)
        with self._lock:
            first = self._signers.setdefault(place, signature.signer)
            for old in [key for key in self._signers if key[0] < signature.height - KEPT]:
                del self._signers[old]
        what = "signed" if first == signature.signer else f"DOUBLE SIGN, {first} had signed it:"
        sys.stderr.write(f"{what} {signature.height} with {signature.key} by {signature.signer}\n")
        return web.as_json({})

    def commit(self, request: web.Request) -> web.Reply:
        """The commit of a block, as CometBFT tells it."""
        height = int(request.query.get("height") or chainclock.height())
        with self._lock:
            keys = [key for block, key in self._signers if block == height]
        signatures = [
            {"block_id_flag": 2, "validator_address": address_of(key), "timestamp": "", "signature": ""}
            for key in keys
        ]
        commit = {"height": str(height), "round": 0, "signatures": signatures}
        header = {"height": str(height), "chain_id": "gonka-mainnet"}
        result = {"signed_header": {"header": header, "commit": commit}, "canonical": True}
        return web.as_json({"jsonrpc": "2.0", "id": -1, "result": result})
