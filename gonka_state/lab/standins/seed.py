"""A seed node, as far as a new host meets it: public API, RPC, REST, and a P2P port that gives the whole state.

Its state is one JSON file (`--state`), which a test may edit at any time: `accounts`, `participants`, `grants`,
`allowances`, `summaries` (by EPOCH/ADDRESS: `rewarded_coins`, `claimed`); and how it behaves: `version`, `phase`,
`height`, `epoch`, `confirmation_poc`, `governance_models`, `fail` (500, garbage, hang), `chain_api` false, `page`
(entries of a page), `block_seconds`.

Its public API and REST: gonka-contract 2 and 6.4; its RPC: 3; the registration that it carries out: 6.2.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock, transactions, web
from gonka_state.lab.standins.apistate import GOVERNANCE
from gonka_state.lab.standins.commits import Commits
from gonka_state.lab.standins.ledger import Book, Ledger, write
from gonka_state.lab.standins.network_api import NetworkApi
from gonka_state.lab.standins.public import troubled
from gonka_state.lab.standins.rest import PAGE, Rest
from gonka_state.lab.standins.versions import CURRENT, UPSERT_SINCE, numbers

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

API_PORT, P2P_PORT = 8000, 5000
BLOCK_SECONDS = 1.0
"""How long a transaction takes to be in a block. The real chain takes about five seconds."""


class Seed:
    """The seed's state and everything it answers."""

    def __init__(self, path: Path) -> None:
        self.book = Book(path)
        self.control = self.book.control
        with self.book.change() as value:
            value.setdefault("epoch_origin", chainclock.quiet_origin())
        self.version = str(self.control.read().get("version") or CURRENT)
        self.seed_era = numbers(self.version) < UPSERT_SINCE
        self.routes, self.commits = web.Routes(), Commits()
        self.routes.add("POST", "/v1/participants", self.register)
        self.routes.add("GET", "/chain-rpc/status", self.status)
        self.routes.add("GET", "/chain-rpc/commit", self.commits.commit)
        self.routes.add("GET", "/chain-rpc/tx", self.transaction)
        self.routes.add("GET", "/chain-rpc/abci_query", self.query)
        self.routes.add("POST", "/chain-rpc/", self.broadcast)
        NetworkApi(self, self.routes)
        self.rest = Rest(self.book.read, lambda: int(self.control.read().get("page") or PAGE))

    @property
    def epoch_origin(self) -> int:
        """A block at which an epoch began."""
        return int(self.control.read().get("epoch_origin") or chainclock.quiet_origin())

    def epoch(self) -> int:
        """The current epoch."""
        return int(chainclock.latest_epoch(self.control.read(), self.epoch_origin)["latest_epoch"]["index"])

    def governance(self) -> list[str]:
        """The models that the chain knows."""
        return list(self.control.read().get("governance_models") or GOVERNANCE)

    def ledger(self) -> Ledger:
        """The chain's state."""
        return self.book.read()

    def nodes_of(self, url: str) -> list[str]:  # noqa: ARG002 (only their own API knows)
        """Nobody's: the seed is told of hosts."""
        return []

    def synced(self) -> bool:
        """A seed is always in sync."""
        return True

    def answer(self, request: web.Request) -> web.Reply:
        """Answer, or fail in the way the state file asks for."""
        control = self.control.read()
        if trouble := troubled(control.get("fail")):
            return trouble
        if request.path.startswith("/chain-api/"):
            if control.get("chain_api") is False:
                return web.as_text("Chain API is disabled\n", 404)
            target = request.target.removeprefix("/chain-api")
            return self.rest.routes.answer(web.Request(request.method, target))
        return self.routes.answer(request)

    def everything(self, request: web.Request) -> web.Reply:
        """The whole state, for the nodes that follow this one; and what their signers have signed."""
        if request.method == "POST":
            return self.commits.hear(request)
        return web.as_json(self.control.read())

    def register(self, request: web.Request) -> web.Reply:
        """Make account and participant for somebody else: fails where the account exists at all."""
        try:
            body = json.loads(request.body)
            address, pubkey = str(body["address"]), str(body["pub_key"])
        except (ValueError, KeyError, TypeError):
            return web.error("invalid request body", 400)
        with self.book.change() as value:
            if address in value["accounts"]:
                return web.error("account already exists", 500)
            value["accounts"][address] = {"pubkey": pubkey, "balance": 0}
            known = {key: str(body.get(key) or "") for key in ("url", "validator_key", "worker_key")}
            value["participants"][address] = {**known, **self._block(value)}
        return web.Reply(200, b"", "text/plain")

    def _block(self, value: dict[str, Any]) -> dict[str, Any]:
        wait = float(value.get("block_seconds") or BLOCK_SECONDS)
        return {"height": chainclock.height() + 1, "visible_at": time.time() + wait}

    def status(self, _request: web.Request) -> web.Reply:
        """The RPC's status: what tells the chain's name and its newest block."""
        block = int(self.control.read().get("height") or chainclock.height())
        sync = {"latest_block_height": str(block), "latest_block_time": chainclock.rfc3339(time.time())}
        told = {"node_info": {"network": "gonka-mainnet"}, "sync_info": {**sync, "catching_up": False}}
        return _result(told)

    def transaction(self, request: web.Request) -> web.Reply:
        """What became of a transaction; an error until it is in a block."""
        digest = request.query.get("hash", "").removeprefix("0x").upper()
        found = self.book.read().transaction(digest)
        if found is None:
            about = {"code": -32603, "message": "Internal error", "data": f"tx ({digest}) not found"}
            return web.as_json({"jsonrpc": "2.0", "id": -1, "error": about}, 500)
        verdict = {"code": found["code"], "log": found["log"]}
        return _result({"hash": digest, "height": str(found["height"]), "tx_result": verdict})

    def query(self, request: web.Request) -> web.Reply:
        """A query of the state; its path is that of the REST, where the real one takes protobuf."""
        return self.rest.routes.answer(web.Request("GET", request.query.get("path", "/")))

    def broadcast(self, request: web.Request) -> web.Reply:
        """Take a transaction; it is carried out at once and shows in the next block."""
        try:
            raw = base64.b64decode(json.loads(request.body)["params"]["tx"])
            signed = json.loads(raw)
        except (ValueError, KeyError, TypeError):
            return web.error("tx parse error", 400)
        digest = hashlib.sha256(raw).hexdigest().upper()
        with self.book.change() as value:
            log = transactions.carry_out(value, signed, self._block(value))
            value["transactions"][digest] = {"code": 1 if log else 0, "log": log, **self._block(value)}
        return _result({"code": 0, "hash": digest, "log": ""})


def _result(value: Json) -> web.Reply:
    return web.as_json({"jsonrpc": "2.0", "id": -1, "result": value})


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--state", type=Path, required=True)
    state = parser.parse_args().state
    if not state.exists():
        write(state, {})
    seed = Seed(state)
    web.serve(API_PORT, seed.answer)
    web.serve(P2P_PORT, seed.everything)
    web.run_until_stopped()


if __name__ == "__main__":
    main()
