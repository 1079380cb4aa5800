"""The public API: what the chain knows, as far as an operator reads it."""

from __future__ import annotations

import json
import time
from typing import Any

from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.apistate import V2_SINCE, ApiState, numbers
from gonka_state.lab.standins.completions import Completions
from gonka_state.lab.standins.mlclient import ask


class Public:
    """The handlers."""

    def __init__(self, state: ApiState) -> None:
        self.state = state
        self.routes = web.Routes()
        add = self.routes.add
        add("GET", "/v1/status", lambda _request: web.as_json({"status": "ok"}))
        add("GET", "/v1/versions", self.versions)
        add("GET", "/v1/epochs/latest", self.epoch)
        add("GET", "/v1/epochs/:epoch/participants", self.active)
        add("GET", "/v1/governance/models", self.governance)
        add("GET", "/v1/models", self.models)
        add("POST", "/v1/chat/completions", Completions(state).chat)
        add("GET", "/v1/participants", self.participants)
        add("POST", "/v1/participants", self.register)
        add("GET", "/v1/participants/:address", self.account)
        if numbers(state.version) >= V2_SINCE:
            add("GET", "/v2/participants/:address", self.participant)

    def answer(self, request: web.Request) -> web.Reply:
        """Answer, or fail in the way the control file asks for."""
        trouble = self.state.control.read().get("public")
        if trouble == "hang":
            time.sleep(600)
        if trouble == "garbage":
            return web.as_text("<html>not what you asked for</html>")
        if trouble:
            return web.error("Internal Server Error", 500)
        return self.routes.answer(request)

    def versions(self, _request: web.Request) -> web.Reply:
        """The running versions; 500 while the chain node does not answer."""
        if ask("node", 26657, "/status") is None:
            return web.error("failed to query node version: connection refused", 500)
        about = {"application_name": "decentralized-api", "version": self.state.version, "commit": "0" * 40}
        node = {**about, "application_name": "inferenced"}
        return web.as_json(
            {"timestamp": chainclock.rfc3339(time.time()), "api_version": about, "node_version": node}
        )

    def epoch(self, _request: web.Request) -> web.Reply:
        """The phase, and the blocks at which the next ones begin."""
        state = self.state
        confirmation = not state.seed_era
        return web.as_json(
            chainclock.latest_epoch(state.control.read(), state.epoch_origin, with_confirmation=confirmation)
        )

    def active(self, _request: web.Request, epoch: str) -> web.Reply:
        """Who takes part in an epoch: nobody here but who registered."""
        if epoch not in {"current", str(self.state.epoch())}:
            return web.error("epoch not found", 400)
        own = [{"ml_nodes": [{"node_id": name, "poc_weight": 100} for name in self.state.in_epoch()]}]
        url = self.state.environ.get("DAPI_API__PUBLIC_URL")
        everyone = [{"index": address, "weight": 1, "inference_url": item["url"], "models": [],
                     "ml_nodes": own if item["url"] == url else []}
                    for address, item in self.state.participants.items()]  # fmt: skip
        group = {"participants": everyone, "epoch_id": self.state.epoch(), "poc_start_block_height": 0}
        return web.as_json(
            {"active_participants": group, "addresses": list(self.state.participants), "validators": []}
        )

    def governance(self, _request: web.Request) -> web.Reply:
        """The models that may be served."""
        return web.as_json({"models": [self._model(name) for name in self.state.governance()]})

    @staticmethod
    def _model(name: str) -> dict[str, Any]:
        args = ["--max-model-len", "240000"] if "235B" in name else []
        return {"proposed_by": "genesis", "id": name, "units_of_compute_per_token": 1000, "hf_repo": name,
                "hf_commit": "", "model_args": args, "v_ram": 80, "throughput_per_nonce": 1000}  # fmt: skip

    def models(self, _request: web.Request) -> web.Reply:
        """The models of the current epoch."""
        names = self.state.governance()
        if self.state.seed_era:
            return web.as_json({"models": [self._model(name) for name in names]})
        return web.as_json({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})

    def participants(self, _request: web.Request) -> web.Reply:
        """Everybody who registered."""
        fixed = {"coins_owed": 0, "refunds_owed": 0, "balance": 0, "voting_power": 0, "reputation": 0}
        everyone = [
            {"id": address, "url": item["url"], **fixed} for address, item in self.state.participants.items()
        ]
        return web.as_json({"participants": everyone, "block_height": chainclock.height()})

    def register(self, request: web.Request) -> web.Reply:
        """Register a participant as the seed node would; a second time is an error."""
        try:
            value = json.loads(request.body)
            address = str(value["address"])
        except (ValueError, KeyError, TypeError):
            return web.error("invalid request body", 400)
        with self.state.lock:
            if address in self.state.participants:
                return web.error("account already exists", 500)
            self.state.participants[address] = {**value, "height": chainclock.height()}
        return web.as_json({"id": address, "url": value.get("url", "")})

    def account(self, _request: web.Request, address: str) -> web.Reply:
        """An account; that it exists does not say that a host is registered."""
        item = self.state.participants.get(address)
        if item is None:
            return web.error("account not found", 500 if self.state.seed_era else 404)
        answer = {"pubkey": item.get("pub_key", ""), "balance": 0}
        return web.as_json(answer if self.state.seed_era else {**answer, "denom": "ngonka"})

    def participant(self, _request: web.Request, address: str) -> web.Reply:
        """A registered host."""
        item = self.state.participants.get(address)
        if item is None:
            return web.error("participant not found", 404)
        about = {"index": address, "address": address, "weight": 0, "join_height": item["height"], "status": 1,
                 "inference_url": item.get("url", ""), "validator_key": item.get("validator_key", ""),
                 "worker_public_key": item.get("worker_key", "")}  # fmt: skip
        return web.as_json({"participant": about})
