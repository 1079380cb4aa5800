"""The ML node: health, state, cards and the model cache as they are, and an engine that loads one model.

Health of both eras: gonka-contract 4.1; the routes under /api/v1: 4.2; what is called complete without a network: 8.2.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.lab.standins import web
from gonka_state.lab.standins.cards import Cards
from gonka_state.lab.standins.chainclock import Control
from gonka_state.lab.standins.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Callable

CACHE = Path("/root/.cache")
HEALTH_SINCE = (3, 0, 10)
RUNNING = "VLLM is already running. Use /inference/down to stop it first."
STARTING = "VLLM startup is already in progress. Use /inference/up/status to check status."


class MlNode:
    """One ML node: STOPPED until the broker has a model loaded; its inference port listens only then."""

    def __init__(self, cache: Path, version: str, engine: Engine | None = None) -> None:
        self.cache, self.version = cache, version
        numbers = tuple(int(word) for word in version.split("-", maxsplit=1)[0].split("."))
        self.recent = numbers >= HEALTH_SINCE
        self.engine = engine or Engine(Control(cache / "lab-control.json"), Cards(), numbers)
        self.routes = self._routes()

    def answer(self, request: web.Request) -> web.Reply:
        """Answer one request; what begins with /v1 goes to the model."""
        if request.path.startswith("/v1"):
            return self.engine.infer(request)
        return self.routes.answer(request)

    def _routes(self) -> web.Routes:
        routes = web.Routes(web.detail)
        routes.add("GET", "/api/v1/state", self.state)
        routes.add("POST", "/api/v1/stop", self.down)
        routes.add("POST", "/api/v1/inference/up", self.up if self.recent else self.up_anew)
        routes.add("POST", "/api/v1/inference/down", self.down)
        if self.recent:
            routes.add("POST", "/api/v1/inference/up/async", self.up_async)
            routes.add("GET", "/api/v1/inference/up/status", lambda _request: web.as_json(self.engine.told()))
            routes.add("GET", "/health", self.health)
            routes.add("GET", "/livez", self.health)
            routes.add("GET", "/readyz", lambda _request: web.as_json({"ready": True}))
            routes.add(
                "GET", "/api/v1/gpu/devices", lambda _request: web.as_json(self.engine.cards.devices())
            )
            routes.add("GET", "/api/v1/gpu/driver", self.driver)
            routes.add("GET", "/api/v1/models/list", self.listing)
            routes.add("POST", "/api/v1/models/status", self.model_status)
            routes.add("GET", "/api/v1/models/space", self.space)
        return routes

    def state(self, _request: web.Request) -> web.Reply:
        """What the node is doing; while a model is loaded into it, only the first release says so."""
        model = self.engine.model
        if not self.recent:
            return web.as_json({"state": "INFERENCE" if model or self.engine.starting else "STOPPED"})
        about = {"state": "INFERENCE" if model else "STOPPED", "version": self.version}
        serving = {"poc_status": "IDLE", "inference_healthy": True, "loaded_model": model}
        return web.as_json(about | (serving if model else dict.fromkeys(serving)))

    def up(self, request: web.Request) -> web.Reply:
        """Load a model and answer when it serves."""
        return self._start(request, lambda: self._ended(self.engine.wait()))

    def up_async(self, request: web.Request) -> web.Reply:
        """Load a model and answer at once."""
        told = {"status": "starting", "message": "Inference startup initiated in background"}
        return self._start(request, lambda: web.as_json(told))

    def up_anew(self, request: web.Request) -> web.Reply:
        """The first release: what runs is stopped first, and failure is told with 200."""
        if self.engine.model:
            self.engine.stop()
        reply = self.up(request)
        return web.as_json({"status": "ERROR"}) if reply.status in {409, 500} else reply

    def _start(self, request: web.Request, then: Callable[[], web.Reply]) -> web.Reply:
        try:
            order = json.loads(request.body)
            model, args = str(order["model"]), [str(word) for word in order.get("additional_args") or []]
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.detail("model is required", 422)
        if not self.engine.start(model, args):
            return web.detail(STARTING if self.engine.starting else RUNNING, 409)
        return then()

    def _ended(self, status: str) -> web.Reply:
        if status == "completed":
            return web.as_json({"status": "OK"})
        return web.detail(self.engine.error or f"startup {status}", 500)

    def down(self, _request: web.Request) -> web.Reply:
        """Unload the model; the inference port closes with it."""
        self.engine.stop()
        return web.as_json({"status": "OK"})

    def health(self, _request: web.Request) -> web.Reply:
        """Healthy also when stopped or loading, as long as there are cards."""
        devices = self.engine.cards.devices()
        running, healthy = bool(self.engine.model), devices["count"] > 0
        managers = {name: {"running": False, "healthy": True} for name in ("pow", "inference", "train")}
        managers["inference"]["running"] = running
        about = {"service_state": "INFERENCE" if running else "STOPPED", "managers": managers}
        status, code = ("healthy", 200) if healthy else ("unhealthy", 503)
        return web.as_json({"status": status, "gpu": {"available": healthy, **devices}, **about}, code)

    def driver(self, _request: web.Request) -> web.Reply:
        """The driver's versions."""
        return web.as_json(
            {"driver_version": "570.133.20", "cuda_driver_version": "12.8", "nvml_version": "12.570.133.20"}
        )

    def _found(self) -> list[tuple[str, str]]:
        folders = sorted((self.cache / "hub").glob("models--*--*/snapshots/*"))
        return [(path.parts[-3].removeprefix("models--").replace("--", "/"), path.name) for path in folders]

    def listing(self, _request: web.Request) -> web.Reply:
        """The models in the cache; without the network none can be called complete."""
        models = [
            {"model": {"hf_repo": name, "hf_commit": commit}, "status": "PARTIAL"}
            for name, commit in self._found()
        ]
        return web.as_json({"models": models})

    def model_status(self, request: web.Request) -> web.Reply:
        """Whether a model is in the cache."""
        try:
            order = json.loads(request.body)
            name, commit = str(order["hf_repo"]), order.get("hf_commit")
        except (ValueError, KeyError, TypeError):
            return web.detail("hf_repo is required", 422)
        there = any(found == name and commit in {None, revision} for found, revision in self._found())
        about = {"model": {"hf_repo": name, "hf_commit": commit}, "progress": None, "error_message": None}
        return web.as_json({**about, "status": "PARTIAL" if there else "NOT_FOUND"})

    def space(self, _request: web.Request) -> web.Reply:
        """The room in the cache."""
        used = sum(path.stat().st_size for path in (self.cache / "hub").glob("*/blobs/*"))
        free = shutil.disk_usage(self.cache).free
        sizes = {"cache_size_gb": round(used / 1e9, 2), "available_gb": round(free / 1e9, 2)}
        return web.as_json({**sizes, "cache_path": f"{self.cache}/hub"})


def main() -> None:
    """Serve until stopped."""
    node = MlNode(CACHE, os.environ.get("STANDIN_VERSION", "3.0.13"))
    web.serve(8080, node.answer)
    web.run_until_stopped()


if __name__ == "__main__":
    main()
