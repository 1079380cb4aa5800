"""What the API keeps: nodes in memory, a store that is flushed once a minute, keys it must never show.

What survives a restart, and NODE_CONFIG that is read once: gonka-contract 1.7; GET config with its private key: 1.1.
"""

from __future__ import annotations

import base64
import json
import random
import sqlite3
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock
from gonka_state.lab.standins.ledger import Ledger
from gonka_state.lab.standins.mlclient import ask
from gonka_state.lab.standins.nodes import Broker, RefusedError, parse, problems
from gonka_state.lab.standins.versions import CURRENT, UPSERT_SINCE, numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

REST_PORT = 1317
GOVERNANCE = (
    "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8",
    "Qwen/Qwen3-32B-FP8",
    "Qwen/QwQ-32B",
    "Qwen/Qwen2.5-7B-Instruct",
)


class ApiState:
    """One API: its era, its nodes and its files."""

    def __init__(self, home: Path, environ: Mapping[str, str]) -> None:
        self.home, self.environ = home, environ
        self.control = chainclock.Control(home / "lab-control.json")
        self.lock = threading.RLock()
        self.version = str(self.control.read().get("version") or environ.get("STANDIN_VERSION") or CURRENT)
        self.seed_era = numbers(self.version) < UPSERT_SINCE
        home.mkdir(parents=True, exist_ok=True)
        kept = self._read()
        self.worker = (
            kept.get("worker_private") or base64.b64encode(random.SystemRandom().randbytes(32)).decode()
        )
        self._own_origin = int(kept.get("epoch_origin") or chainclock.quiet_origin())
        self.merged = bool(kept.get("node_config_merged"))
        self.broker = Broker(self.governance(), self.seed_era, self.epoch())
        self.broker.load(kept.get("nodes", []))
        if not self.merged:
            self._merge_node_config()

    def governance(self) -> list[str]:
        """The models that the chain knows."""
        return list(self.control.read().get("governance_models") or GOVERNANCE)

    def ledger(self) -> Ledger | None:
        """The chain's state as this API's own node has it; None while that cannot be asked."""
        value = ask("node", REST_PORT, "/lab/ledger")
        return None if value is None else Ledger(value)

    def nodes_of(self, url: str) -> list[str]:
        """The own nodes that take part in the epoch, where this is the own URL."""
        return self.in_epoch() if url == self.environ.get("DAPI_API__PUBLIC_URL") else []

    def synced(self) -> bool:
        """Whether the chain node answers."""
        return ask("node", 26657, "/status") is not None

    @property
    def epoch_origin(self) -> int:
        """A block at which an epoch began: the chain's own, or one of this API while there is no chain."""
        ledger = self.ledger()
        return int((ledger.value if ledger else {}).get("epoch_origin") or self._own_origin)

    def epoch(self) -> int:
        """The current epoch."""
        return int(chainclock.latest_epoch(self.control.read(), self.epoch_origin)["latest_epoch"]["index"])

    def in_epoch(self) -> list[str]:
        """The nodes with which this network node takes part in the current epoch; a new one has none."""
        return [str(name) for name in self.control.read().get("in_epoch") or ()]

    def _merge_node_config(self) -> None:
        """Take the nodes of NODE_CONFIG, once in a lifetime; what does not pass is left out."""
        path = Path(self.environ.get("NODE_CONFIG_PATH", "/root/node_config.json"))
        try:
            listed = json.loads(path.read_text())
        except (OSError, ValueError):
            listed = []
        for value in listed if isinstance(listed, list) else []:
            try:
                node = parse(value)
                if node["id"] not in self.broker.nodes and not problems(node):
                    self.broker.create(node)
            except RefusedError:
                continue

    @property
    def _store(self) -> Path:
        # the seed era's file is YAML, which JSON is
        return self.home / ("api-config.yaml" if self.seed_era else "gonka.db")

    def _read(self) -> dict[str, Any]:
        if not self._store.is_file():
            return {}
        if self.seed_era:
            value = json.loads(self._store.read_text())
        else:
            with sqlite3.connect(self._store) as database:
                value = {key: json.loads(text) for key, text in database.execute("SELECT key, value FROM kv")}
        return dict(value)

    def snapshot(self) -> dict[str, Any]:
        """Everything that is kept over a restart."""
        with self.lock:
            return {
                "nodes": self.broker.stored,
                "node_config_merged": True,
                "epoch_origin": self._own_origin,
                "worker_private": self.worker,
            }

    def flush(self) -> None:
        """Write what is to be kept; a crash before loses up to a minute, as with the real one."""
        value = self.snapshot()
        if self.seed_era:
            part = self._store.with_suffix(".part")
            part.write_text(json.dumps({**value, "merged_node_config": True}, indent=2))
            part.replace(self._store)
            return
        ids = [node["id"] for node in value["nodes"]]
        if len(ids) != len(set(ids)):  # the real one's first statement fails then, and with it all the others
            sys.stderr.write("flush: UNIQUE constraint failed: inference_nodes.id\n")
            return
        with sqlite3.connect(self._store) as database:
            database.execute("CREATE TABLE IF NOT EXISTS kv (key TEXT PRIMARY KEY, value TEXT)")
            rows = [(key, json.dumps(item)) for key, item in value.items()]
            database.executemany("INSERT OR REPLACE INTO kv VALUES (?, ?)", rows)
        database.close()
        readable = {key: item for key, item in value.items() if key != "worker_private"}
        (self.home / "config-dump.json").write_text(json.dumps(readable, indent=2))

    def config(self) -> dict[str, Any]:
        """What GET config answers: everything in memory, the private key included."""
        names = {
            "url": "DAPI_CHAIN_NODE__URL",
            "account_public_key": "ACCOUNT_PUBKEY",
            "signer_key_name": "KEY_NAME",
        }
        chain = {key: self.environ.get(name, "") for key, name in names.items()}
        return {
            "api": {
                "public_url": self.environ.get("DAPI_API__PUBLIC_URL", ""),
                "poc_callback_url": self.environ.get("DAPI_API__POC_CALLBACK_URL", ""),
                "public_server_port": 9000,
                "ml_server_port": 9100,
                "admin_server_port": 9200,
            },
            "nodes": self.broker.stored,
            "chain_node": {**chain, "keyring_backend": self.environ.get("KEYRING_BACKEND", "file")},
            "ml_node_key_config": {"worker_public": "", "worker_private": self.worker},
            "current_height": chainclock.height(),
            "current_node_version": self.version,
        }
