"""The chain node: CometBFT's RPC as far as an operator reads it, and a port where peers may knock."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import socketserver
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock, web

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

HOME = Path("/root/.inference")
KEY_BYTES = 32


def node_id(seed: str) -> str:
    """Forty hex digits that stay the same for the same node key."""
    return hashlib.sha256(seed.encode()).hexdigest()[:40]


class Chain:
    """One node: its identity, the signers that report to it, and what it says about itself."""

    def __init__(self, home: Path) -> None:
        self.control = chainclock.Control(home / "lab-control.json")
        key_file = home / "config/node_key.json"
        if not key_file.exists():
            key_file.parent.mkdir(parents=True, exist_ok=True)
            secret = base64.b64encode(random.SystemRandom().randbytes(KEY_BYTES * 2)).decode()
            key_file.write_text(
                json.dumps({"priv_key": {"type": "tendermint/PrivKeyEd25519", "value": secret}})
            )
            (home / ".node_initialized").touch()
        self.identity = node_id(key_file.read_text())
        self.pub_key = ""
        self.signer = ""

    def status(self) -> dict[str, Any]:
        """What GET /status answers."""
        control, now = self.control.read(), time.time()
        seen = now - float(control.get("lag_seconds") or 0)
        block = int(control.get("height") or chainclock.height(seen))
        digest = hashlib.sha256(str(block).encode()).hexdigest().upper()
        sync = {
            "latest_block_hash": digest,
            "latest_app_hash": digest[::-1],
            "latest_block_height": str(block),
            "latest_block_time": chainclock.rfc3339(seen),
            "earliest_block_height": "1",
            "catching_up": bool(control.get("catching_up", False)),
        }
        validator = {
            "address": hashlib.sha256(self.pub_key.encode()).hexdigest()[:40].upper(),
            "pub_key": {"type": "tendermint/PubKeyEd25519", "value": self.pub_key},
            "voting_power": str(control.get("voting_power", "0")),
        }
        about = {
            "id": self.identity,
            "listen_addr": "tcp://0.0.0.0:26656",
            "network": "gonka-mainnet",
            "version": "0.38.17",
            "moniker": os.environ.get("KEY_NAME", "node"),
        }
        return {"node_info": about, "sync_info": sync, "validator_info": validator}

    def answer(self, request: web.Request) -> web.Reply:
        """Answer one RPC call."""
        control = self.control.read()
        if control.get("fail"):
            return web.as_text("Internal Server Error", int(control["fail"]))
        if request.path == "/status":
            return self._result(self.status())
        if request.path == "/net_info":
            peers = str(control.get("n_peers", 12))
            return self._result(
                {"listening": True, "listeners": ["Listener(@)"], "n_peers": peers, "peers": []}
            )
        if request.path == "/health":
            return self._result({})
        if request.path == "/abci_info":
            block = self.status()["sync_info"]["latest_block_height"]
            return self._result({"response": {"data": "inference", "last_block_height": block}})
        return web.as_text("404 page not found\n", 404)

    @staticmethod
    def _result(value: Json) -> web.Reply:
        return web.as_json({"jsonrpc": "2.0", "id": -1, "result": value})

    def hear(self, line: str) -> None:
        """Take a signer's report, and log who signed which height: two signers at once show here."""
        pub_key, _, signer = line.strip().partition(" ")
        if (pub_key, signer) != (self.pub_key, self.signer):
            sys.stderr.write(f"signer {signer} with key {pub_key} from height {chainclock.height()}\n")
        self.pub_key, self.signer = pub_key, signer


def main() -> None:
    """Serve RPC, peers and the signer's port until stopped."""
    chain = Chain(HOME)
    web.serve(26657, chain.answer)

    class Signer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                chain.hear(line.decode())

    class Peer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(chain.identity.encode())

    for port, handler in ((26656, Peer), (int(os.environ.get("TMKMS_PORT") or 26658), Signer)):
        server = socketserver.ThreadingTCPServer(("", port), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    web.run_until_stopped()


if __name__ == "__main__":
    main()
