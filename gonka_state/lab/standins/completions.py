"""The public API's completions: passed to an own node that has the model loaded.

The real one wants a request that the developer's key signed, not older than seconds, from an account with a
balance, and lets the chain draw the executor. Here any Authorization will do and the executor is this host.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gonka_state.lab.standins import forward, web
from gonka_state.lab.standins.mlclient import ask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.lab.standins.apistate import ApiState

ATTEMPTS = 3
PASSED_ON = (400, 422)
PATH = "/v1/chat/completions"


class Completions:
    """POST /v1/chat/completions."""

    def __init__(self, state: ApiState) -> None:
        self.state = state

    def chat(self, request: web.Request) -> web.Reply:
        """Refuse what the real one refuses before it looks at the signature, then let a node answer."""
        try:
            order = json.loads(request.body)
        except ValueError as wrong:
            return web.error(str(wrong), 500)
        key = request.headers.get("authorization", "")
        if not key:
            return web.error("Authorization is required", 401)
        model = str(order.get("model") or "") if isinstance(order, dict) else ""
        if not model:
            return web.error("No model specified", 400)
        chain = urlsplit(self.state.environ.get("DAPI_CHAIN_NODE__URL") or "http://node:26657")
        if ask(chain.hostname or "", chain.port or 80, "/status") is None:
            return web.error("failed to get status: connection refused", 500)
        return self._executed(request, model, key)

    def _executed(self, request: web.Request, model: str, key: str) -> web.Reply:
        """The answer of the first of up to three nodes that gives one; its id becomes the inference's."""
        said = "no nodes available for inference"
        for node, _ in zip(self._able(model), range(ATTEMPTS), strict=False):
            order = web.Request("POST", PATH, request.body, {"content-type": "application/json"})
            target = f"{node['inference_segment']}{PATH}"
            reply = forward.forward(order, node["host"], node["inference_port"], target)
            if reply.status // 100 == 2:  # noqa: PLR2004  (2xx)
                return web.as_json({**json.loads(reply.body), "id": key})
            if reply.status // 100 == 4:  # noqa: PLR2004  (4xx)
                text = reply.body.decode(errors="replace")
                said = f"Inference node response with an error. code = {reply.status}. error = {text}."
                return web.error(said, reply.status if reply.status in PASSED_ON else 500)
            said = f"node {node['id']} server error: status={reply.status}"
        return web.error(said, 500)

    def _able(self, model: str) -> Iterator[dict[str, Any]]:
        """The enabled nodes that serve this model now."""
        with self.state.lock:
            entries = list(self.state.broker.nodes.values())
        random.shuffle(entries)
        for entry in entries:
            node, about = entry["node"], entry["state"]
            if model not in node["models"] or not about["admin_state"]["enabled"]:
                continue
            seen = ask(node["host"], node["poc_port"], f"{node['poc_segment']}/api/v1/state")
            if seen and seen.get("state") == "INFERENCE" and seen.get("loaded_model", model) == model:
                yield node
