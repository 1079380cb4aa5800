"""The ML node's inference manager: a model is loaded, which takes its time, serves, and is unloaded.

The port that listens only while a model serves: gonka-contract 4.1; loading: 4.2; how many cards a model takes: 4.3.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import web
from gonka_state.lab.standins.vllm import Vllm, number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from http.server import ThreadingHTTPServer

    from gonka_state.lab.standins.cards import Cards
    from gonka_state.lab.standins.chainclock import Control

LOAD_SECONDS = 3.0
PORT = 5000
SHARE = 0.9


class Engine:
    """At most one model. `control` may say `load_seconds`, and `load_error` for a model that cannot be loaded."""

    def __init__(self, control: Control, cards: Cards, version: tuple[int, ...], port: int = PORT) -> None:
        self.control, self.cards, self.version, self.port = control, cards, version, port
        self.status, self.error = "not_started", ""
        self.vllm: Vllm | None = None
        self.since = self.took = 0.0
        self.lock = threading.RLock()
        self._stop = threading.Event()
        self._loading: threading.Thread | None = None
        self._server: ThreadingHTTPServer | None = None

    @property
    def starting(self) -> bool:
        """Whether a model is being loaded."""
        return self.status == "in_progress"

    @property
    def model(self) -> str:
        """The loaded model; empty when there is none."""
        return self.vllm.model if self.vllm else ""

    def start(self, model: str, args: Sequence[str]) -> bool:
        """Begin to load; False when a model is loaded or being loaded."""
        with self.lock:
            if self.vllm or self.starting:
                return False
            self.status, self.error, self.since = "in_progress", "", time.monotonic()
            self._stop = threading.Event()
            stop = self._stop
            self._loading = threading.Thread(target=self._load, args=(model, args, stop), daemon=True)
            self._loading.start()
            return True

    def wait(self) -> str:
        """Wait until loading is over, and say how it ended."""
        loading = self._loading
        if loading is not None:
            loading.join()
        return self.status

    def _load(self, model: str, args: Sequence[str], stop: threading.Event) -> None:
        settings = self.control.read()
        cancelled = stop.wait(float(settings.get("load_seconds", LOAD_SECONDS)))
        with self.lock:
            self.took = time.monotonic() - self.since
            if cancelled:
                return
            if settings.get("load_error"):
                self.status, self.error = "failed", str(settings["load_error"])
                return
            self.cards.hold(self._cards_of(args), number(args, "--gpu-memory-utilization", SHARE))
            self.vllm, self.status = Vllm(model, args, self.version), "completed"
            self._server = web.serve(self.port, self.infer)

    def _cards_of(self, args: Sequence[str]) -> int:
        """How many cards the instances take: as many instances as fit (gonka-contract 4.3)."""
        each = number(args, "--tensor-parallel-size", 1) * number(args, "--pipeline-parallel-size", 1)
        return int(max(1, self.cards.count() // each) * each)

    def stop(self) -> None:
        """Unload, or give up loading; the inference port closes with it."""
        with self.lock:
            self._stop.set()
            if self._server is not None:
                self._server.shutdown()
                self._server.server_close()
            if self.starting:
                self.status = "cancelled"
            self._server, self.vllm = None, None
            self.cards.hold(0, 0)

    def infer(self, request: web.Request) -> web.Reply:
        """Let the model answer."""
        vllm = self.vllm
        return vllm.routes.answer(request) if vllm else web.as_text("No vLLM backend available", 503)

    def told(self) -> dict[str, Any]:
        """How far loading is (gonka-contract 4.2, `inference/up/status`)."""
        elapsed = time.monotonic() - self.since if self.starting else self.took
        running = {"is_starting": self.starting, "is_running": bool(self.vllm)}
        return {
            "status": self.status,
            **running,
            "elapsed_seconds": round(elapsed, 1),
            "error": self.error or None,
        }
