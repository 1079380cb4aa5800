"""The public API of a network node: what the chain knows, and its own models (gonka-contract 2)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gonka_state.lab.standins import web
from gonka_state.lab.standins.completions import Completions
from gonka_state.lab.standins.network_api import NetworkApi, model

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState


class Public:
    """The handlers."""

    def __init__(self, state: ApiState) -> None:
        self.state = state
        self.routes = web.Routes()
        NetworkApi(state, self.routes)
        self.routes.add("GET", "/v1/models", self.models)
        self.routes.add("POST", "/v1/chat/completions", Completions(state).chat)

    def answer(self, request: web.Request) -> web.Reply:
        """Answer, or fail in the way the control file asks for."""
        trouble = troubled(self.state.control.read().get("public"))
        return trouble or self.routes.answer(request)

    def models(self, _request: web.Request) -> web.Reply:
        """The models of the current epoch."""
        names = self.state.governance()
        if self.state.seed_era:
            return web.as_json({"models": [model(name) for name in names]})
        return web.as_json({"object": "list", "data": [{"id": name, "object": "model"} for name in names]})


def troubled(kind: str | None) -> web.Reply | None:
    """The trouble that a control file asks for; None where all is well."""
    if kind == "hang":
        time.sleep(600)
    if kind == "garbage":
        return web.as_text("<html>not what you asked for</html>")
    return web.error("Internal Server Error", 500) if kind else None
