"""The part of the public API that tells what the chain knows: the same on every network node, and on the seed.

Its routes in both eras: gonka-contract 2.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Protocol

from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.rest import about
from gonka_state.lab.standins.versions import V2_SINCE, numbers

if TYPE_CHECKING:
    from gonka_state.lab.standins.ledger import Ledger


class Knows(Protocol):
    """What these handlers need of whoever answers."""

    control: chainclock.Control
    version: str
    seed_era: bool

    @property
    def epoch_origin(self) -> int:
        """A block at which an epoch began."""

    def epoch(self) -> int:
        """The current epoch."""

    def governance(self) -> list[str]:
        """The models that the chain knows."""

    def ledger(self) -> Ledger | None:
        """The chain's state, or None while its node cannot be asked."""

    def synced(self) -> bool:
        """Whether the chain node answers."""

    def nodes_of(self, url: str) -> list[str]:
        """The ML nodes of the host with this URL that take part in the epoch, by id."""


class NetworkApi:
    """The handlers."""

    def __init__(self, state: Knows, routes: web.Routes) -> None:
        self.state = state
        routes.add("GET", "/v1/status", lambda _request: web.as_json({"status": "ok"}))
        routes.add("GET", "/v1/versions", self.versions)
        routes.add("GET", "/v1/epochs/latest", self.epoch)
        routes.add("GET", "/v1/epochs/:epoch/participants", self.active)
        routes.add("GET", "/v1/governance/models", self.governance)
        routes.add("GET", "/v1/participants", self.participants)
        routes.add("GET", "/v1/participants/:address", self.account)
        if numbers(state.version) >= V2_SINCE:
            routes.add("GET", "/v2/participants/:address", self.participant)
            routes.add("GET", "/v2/accounts/:address", self.account)

    def versions(self, _request: web.Request) -> web.Reply:
        """The running versions; 500 while the chain node does not answer."""
        if not self.state.synced():
            return web.error("failed to query node version: connection refused", 500)
        named = {"application_name": "decentralized-api", "version": self.state.version, "commit": "0" * 40}
        node = {**named, "application_name": "inferenced"}
        return web.as_json(
            {"timestamp": chainclock.rfc3339(time.time()), "api_version": named, "node_version": node}
        )

    def epoch(self, _request: web.Request) -> web.Reply:
        """The phase, and the blocks at which the next ones begin."""
        state = self.state
        return web.as_json(
            chainclock.latest_epoch(
                state.control.read(), state.epoch_origin, with_confirmation=not state.seed_era
            )
        )

    def active(self, _request: web.Request, epoch: str) -> web.Reply:
        """Who takes part in an epoch: nobody here but who registered."""
        if epoch not in {"current", str(self.state.epoch())}:
            return web.error("epoch not found", 400)
        known = self._participants()
        everyone = [
            {"index": address, "weight": 1, "inference_url": item.get("url", ""), "models": [],
             "ml_nodes": [{"ml_nodes": [{"node_id": name, "poc_weight": 100} for name in names]}] if names else []}
            for address, item in known.items() for names in [self.state.nodes_of(item.get("url", ""))]
        ]  # fmt: skip
        group = {"participants": everyone, "epoch_id": self.state.epoch(), "poc_start_block_height": 0}
        return web.as_json({"active_participants": group, "addresses": list(known), "validators": []})

    def governance(self, _request: web.Request) -> web.Reply:
        """The models that may be served."""
        return web.as_json({"models": [model(name) for name in self.state.governance()]})

    def participants(self, _request: web.Request) -> web.Reply:
        """Everybody who registered."""
        fixed = {"coins_owed": 0, "refunds_owed": 0, "balance": 0, "voting_power": 0, "reputation": 0}
        everyone = [
            {"id": address, "url": item.get("url", ""), **fixed}
            for address, item in self._participants().items()
        ]
        return web.as_json({"participants": everyone, "block_height": chainclock.height()})

    def account(self, _request: web.Request, address: str) -> web.Reply:
        """An account; that it exists does not say that a host is registered."""
        ledger = self.state.ledger()
        item = None if ledger is None else ledger.account(address)
        if item is None:
            return web.error(f"account {address} not found", 500 if self.state.seed_era else 404)
        answer = {"pubkey": item.get("pubkey", ""), "balance": int(item.get("balance", 0))}
        return web.as_json(answer if self.state.seed_era else {**answer, "denom": "ngonka"})

    def participant(self, _request: web.Request, address: str) -> web.Reply:
        """A registered host."""
        if self.state.ledger() is None:
            return web.error("failed to query participant: connection refused", 500)
        item = self._participants().get(address)
        if item is None:
            return web.error("participant not found", 404)
        told = {**about(address, item), "join_height": item.get("height", 0), "status": 1}
        return web.as_json({"participant": told})

    def _participants(self) -> dict[str, dict[str, Any]]:
        ledger = self.state.ledger()
        return {} if ledger is None else ledger.participants()


def model(name: str) -> dict[str, Any]:
    """A model as governance has agreed on it."""
    args = ["--max-model-len", "240000"] if "235B" in name else []
    return {"proposed_by": "genesis", "id": name, "units_of_compute_per_token": 1000, "hf_repo": name,
            "hf_commit": "", "model_args": args, "v_ram": 80, "throughput_per_nonce": 1000}  # fmt: skip
