"""The chain node: CometBFT's RPC and the REST beside it, as far as an operator reads them, and a port for peers.

On its first start it has to catch up (`sync_seconds` of the control file, by default a few seconds): the height
climbs to the seed's, and until then it knows nothing of today. After that it keeps a copy of the seed's state.

The RPC: gonka-contract 3; which of its ports are published: 5.2; the mark of the first run: 7.
"""

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
from gonka_state.lab.standins.commits import Signature, address_of, tell
from gonka_state.lab.standins.ledger import Ledger, write
from gonka_state.lab.standins.mlclient import ask
from gonka_state.lab.standins.rest import Rest

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

HOME = Path("/root/.inference")
KEY_BYTES = 32
SYNC_SECONDS = 8
PEERS = 11


def node_id(seed: str) -> str:
    """Forty hex digits that stay the same for the same node key."""
    return hashlib.sha256(seed.encode()).hexdigest()[:40]


class Chain:
    """One node: its identity, the signers that report to it, and what it says about itself."""

    def __init__(self, home: Path) -> None:
        self.control = chainclock.Control(home / "lab-control.json")
        self.copy = chainclock.Control(home / "data/lab-ledger.json")
        key_file = home / "config/node_key.json"
        if not key_file.exists():
            key_file.parent.mkdir(parents=True, exist_ok=True)
            secret = base64.b64encode(random.SystemRandom().randbytes(KEY_BYTES * 2)).decode()
            key_file.write_text(
                json.dumps({"priv_key": {"type": "tendermint/PrivKeyEd25519", "value": secret}})
            )
        # A node key that was restored is kept, and the first run is one all the same.
        if not (home / ".node_initialized").exists():
            (home / ".node_initialized").touch()
        self.born = (home / ".node_initialized").stat().st_mtime
        self.identity = node_id(key_file.read_text())
        self.pub_key = ""
        self.signer = ""
        self.signatures: list[Signature] = []

    def progress(self) -> float:
        """How much of the first synchronisation is done, up to 1."""
        control = self.control.read()
        if "catching_up" in control:
            return 0.5 if control["catching_up"] else 1.0
        passed, wanted = time.time() - self.born, float(control.get("sync_seconds", SYNC_SECONDS))
        return 1.0 if passed >= wanted else max(passed, 0.0) / wanted

    def ledger(self) -> Ledger:
        """The copy of the chain's state; empty while the blocks of today have not arrived."""
        return Ledger(self.copy.read() if self.progress() == 1 else {})

    def follow(self, place: str) -> None:
        """Copy the state from a peer, given as tcp://HOST:PORT; one that does not answer is asked again."""
        host, _, port = place.removeprefix("tcp://").partition(":")
        value = ask(host, int(port), "/") if port.isdigit() else None
        if value is not None:
            self.copy.path.parent.mkdir(parents=True, exist_ok=True)
            write(self.copy.path, value)
            told, self.signatures = self.signatures, []
            tell(host, int(port), told)

    def status(self) -> dict[str, Any]:
        """What GET /status answers."""
        control, progress = self.control.read(), self.progress()
        seen = time.time() - float(control.get("lag_seconds") or 0)
        if progress < 1 and "catching_up" not in control:
            seen = chainclock.START + (seen - chainclock.START) * progress
        block = int(control.get("height") or chainclock.height(seen))
        digest = hashlib.sha256(str(block).encode()).hexdigest().upper()
        sync = {
            "latest_block_hash": digest,
            "latest_app_hash": digest[::-1],
            "latest_block_height": str(block),
            "latest_block_time": chainclock.rfc3339(seen),
            "earliest_block_height": "1",
            "catching_up": progress < 1,
        }
        validator = {
            "address": address_of(self.pub_key),
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
            peers = str(control.get("n_peers", 1 + int(PEERS * self.progress())))
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
        """Take a signer's word: who it is, and a block that it has signed; two signers at once show in the log."""
        pub_key, signer, *block = line.split()
        if (pub_key, signer) != (self.pub_key, self.signer):
            sys.stderr.write(f"signer {signer} with key {pub_key} from height {chainclock.height()}\n")
        self.pub_key, self.signer = pub_key, signer
        if block:
            self.signatures.append(Signature(int(block[0]), pub_key, signer))


def main() -> None:
    """Serve RPC, peers and the signer's port until stopped."""
    chain = Chain(HOME)
    rest = Rest(chain.ledger)
    rest.routes.add("GET", "/lab/ledger", lambda _request: web.as_json(chain.ledger().value))
    web.serve(26657, chain.answer)
    web.serve(1317, rest.routes.answer)

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
    web.run_until_stopped(tick=lambda: chain.follow(os.environ.get("SEED_NODE_P2P_URL", "")))


if __name__ == "__main__":
    main()
