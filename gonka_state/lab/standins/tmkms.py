"""The remote signer: makes the consensus key on its first start and reports to the chain node.

Its files: gonka-contract 6.1; that it signs nothing twice: 7.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import random
import socket
from pathlib import Path

from gonka_state.lab.standins import chainclock, web

HOME = Path("/root/.tmkms")


def ensure_key(home: Path) -> str:
    """Return the public key, making key and signing state when there are none."""
    key, state = home / "secrets/priv_validator_key.softsign", home / "state/priv_validator_state.json"
    for path in (key, state):
        path.parent.mkdir(parents=True, exist_ok=True)
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(base64.b64encode(random.SystemRandom().randbytes(32)).decode())
    if not state.exists():
        state.write_text(json.dumps({"height": "0", "round": "0", "step": 0, "block_id": None}))
    return base64.b64encode(hashlib.sha256(key.read_bytes()).digest()).decode()


class Signer:
    """A connection to the chain node, made again whenever it is lost."""

    def __init__(self, home: Path, host: str, port: int) -> None:
        self.home, self.place = home, (host, port)
        self.pub_key = ensure_key(home)
        self.connection: socket.socket | None = None

    def tick(self) -> None:
        """Say who this is; sign the newest block, unless the signing state says that this was done.

        As the real one does, it writes the state down before the signature leaves.
        """
        with contextlib.suppress(OSError):
            if self.connection is None:
                self.connection = socket.create_connection(self.place, timeout=2)
            me = f"{self.pub_key} {socket.gethostname()}"
            self.connection.sendall(f"{me}\n".encode())
            block, path = chainclock.height(), self.home / "state/priv_validator_state.json"
            if block > int(json.loads(path.read_text())["height"]):
                path.write_text(json.dumps({"height": str(block), "round": "0", "step": 2, "block_id": None}))
                self.connection.sendall(f"{me} {block}\n".encode())
            return
        self.connection = None


def main() -> None:
    """Sign until stopped."""
    host, _, port = (
        os.environ.get("VALIDATOR_LISTEN_ADDRESS", "tcp://node:26658").split("//")[-1].partition(":")
    )
    signer = Signer(HOME, host, int(port))
    web.run_until_stopped(tick=signer.tick)


if __name__ == "__main__":
    main()
