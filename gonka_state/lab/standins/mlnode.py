"""The ML node: health, state, cards and the model cache as they are, and a model that loads at once."""

from __future__ import annotations

import json
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import web

if TYPE_CHECKING:
    from http.server import ThreadingHTTPServer

CACHE = Path("/root/.cache")
GPUS = 8
MEMORY_MB = 81559
HEALTH_SINCE = (3, 0, 10)


class MlNode:
    """One ML node: STOPPED until the broker starts a model; its inference port listens only then."""

    def __init__(self, cache: Path, version: str) -> None:
        self.cache, self.version = cache, version
        self.model = ""
        self.args: list[str] = []
        self.lock = threading.Lock()
        self.inference: ThreadingHTTPServer | None = None
        self.recent = (
            tuple(int(word) for word in version.split("-", maxsplit=1)[0].split(".")) >= HEALTH_SINCE
        )
        self.routes = self._routes()

    def _routes(self) -> web.Routes:
        routes = web.Routes()
        routes.add("GET", "/api/v1/state", self.state)
        routes.add("POST", "/api/v1/stop", self.down)
        routes.add("POST", "/api/v1/inference/up", self.up)
        routes.add("POST", "/api/v1/inference/down", self.down)
        routes.add("GET", "/api/v1/inference/up/status", self.up_status)
        routes.add("GET", "/v1/models", self.models)
        if self.recent:
            routes.add("GET", "/health", self.health)
            routes.add("GET", "/livez", lambda _request: web.as_json({"status": "alive"}))
            routes.add("GET", "/readyz", lambda _request: web.as_json({"ready": True}))
            routes.add("GET", "/api/v1/gpu/devices", lambda _request: web.as_json(self.devices()))
            routes.add("GET", "/api/v1/gpu/driver", self.driver)
            routes.add("GET", "/api/v1/models/list", self.listing)
            routes.add("POST", "/api/v1/models/status", self.model_status)
            routes.add("GET", "/api/v1/models/space", self.space)
        return routes

    def state(self, _request: web.Request) -> web.Reply:
        """What the node is doing."""
        name = "INFERENCE" if self.model else "STOPPED"
        if not self.recent:
            return web.as_json({"state": name})
        loaded = {"inference_healthy": True if self.model else None, "loaded_model": self.model or None}
        return web.as_json({"state": name, "version": self.version, "poc_status": None, **loaded})

    def up(self, request: web.Request) -> web.Reply:
        """Load a model; here that takes no time."""
        try:
            order = json.loads(request.body)
            model, args = str(order["model"]), list(order.get("additional_args") or [])
        except (ValueError, KeyError, TypeError):
            return web.as_json({"detail": "model is required"}, 422)
        with self.lock:
            if self.model:
                return web.as_json({"detail": "vLLM is already running"}, 409)
            self.model, self.args = model, args
            self.inference = web.serve(5000, self.infer)
        return web.as_json({"status": "OK"})

    def down(self, _request: web.Request) -> web.Reply:
        """Unload the model; the inference port closes with it."""
        with self.lock:
            if self.inference is not None:
                self.inference.shutdown()
                self.inference.server_close()
            self.inference, self.model = None, ""
        return web.as_json({"status": "OK"})

    def up_status(self, _request: web.Request) -> web.Reply:
        """How far loading is."""
        status = "completed" if self.model else "not_started"
        about = {"is_starting": False, "is_running": bool(self.model), "elapsed_seconds": 0, "error": None}
        return web.as_json({"status": status, **about})

    def infer(self, request: web.Request) -> web.Reply:
        """The inference port."""
        if request.path == "/health":
            return web.as_json({})
        if request.path == "/v1/models":
            return self.models(request)
        return web.as_json({"detail": "Not Found"}, 404)

    def models(self, _request: web.Request) -> web.Reply:
        """The loaded model, as vLLM lists it."""
        if not self.model:
            return web.as_json({"detail": "no vLLM backend available"}, 503)
        return web.as_json({"object": "list", "data": [{"id": self.model, "object": "model"}]})

    def health(self, _request: web.Request) -> web.Reply:
        """Healthy also when stopped, as long as there are cards."""
        managers = {name: {"running": False, "healthy": False} for name in ("pow", "inference", "train")}
        managers["inference"] = {"running": bool(self.model), "healthy": bool(self.model)}
        about = {"service_state": "INFERENCE" if self.model else "STOPPED", "managers": managers}
        return web.as_json({"status": "healthy", "gpu": {"available": True, **self.devices()}, **about})

    def devices(self) -> dict[str, Any]:
        """The cards."""
        busy = {
            "free_memory_mb": MEMORY_MB - 4,
            "used_memory_mb": 4,
            "utilization_percent": 0,
            "temperature_c": 31,
        }
        about = {"name": "NVIDIA H100 80GB HBM3", "total_memory_mb": MEMORY_MB, "is_available": True}
        return {
            "devices": [{"index": i, **about, **busy, "error_message": None} for i in range(GPUS)],
            "count": GPUS,
        }

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
            return web.as_json({"detail": "hf_repo is required"}, 422)
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
    web.serve(8080, node.routes.answer)
    web.run_until_stopped()


if __name__ == "__main__":
    main()
