"""The ML node: what it answers while it is stopped, loading and serving, in both eras; and its cards."""

from __future__ import annotations

import json
import socket
import threading
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.lab.standins.cards import Cards
from gonka_state.lab.standins.chainclock import Control
from gonka_state.lab.standins.engine import Engine
from gonka_state.lab.standins.mlnode import RUNNING, STARTING, MlNode
from gonka_state.lab.standins.web import Request

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL, BIG = "Qwen/Qwen3-32B-FP8", "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
ORDER = {"model": MODEL, "dtype": "auto", "additional_args": []}


class Asked:
    """An ML node, and the questions put to it."""

    def __init__(self, home: Path, version: str = "3.0.13") -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        (home / "cache").mkdir(exist_ok=True)
        self.cards = Cards(home)
        self.control = home / "cache/lab-control.json"
        numbers = tuple(int(word) for word in version.split("."))
        self.node = MlNode(home / "cache", version, Engine(Control(self.control), self.cards, numbers, port))

    def say(self, **settings: object) -> None:
        """Write the control file."""
        self.control.write_text(json.dumps(settings))

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and body, the body read where it is JSON."""
        reply = self.node.answer(Request(method, path, json.dumps(body).encode()))
        try:
            return reply.status, json.loads(reply.body)
        except ValueError:
            return reply.status, reply.body.decode()

    def up(self, model: str = MODEL, *args: str) -> tuple[int, Any]:
        """Order a model as the broker does."""
        return self.ask("POST", "/api/v1/inference/up", {**ORDER, "model": model, "additional_args": args})


@pytest.fixture
def ml(tmp_path: Path) -> Iterator[Asked]:
    made = Asked(tmp_path)
    made.say(load_seconds=0)
    yield made
    made.node.engine.stop()


def test_it_is_stopped_and_healthy_until_the_broker_has_a_model_loaded(ml: Asked) -> None:
    snapshot = ml.node.cache / "hub/models--Qwen--Qwen3-32B-FP8/snapshots/abc"
    snapshot.mkdir(parents=True)
    assert ml.ask("GET", "/api/v1/state")[1] == {
        "state": "STOPPED", "version": "3.0.13",
        "poc_status": None, "inference_healthy": None, "loaded_model": None,
    }  # fmt: skip
    assert ml.ask("GET", "/health")[1]["status"] == "healthy"
    assert ml.ask("GET", "/v1/models") == (503, "No vLLM backend available")
    assert ml.ask("GET", "/api/v1/inference/up/status")[1]["status"] == "not_started"
    status = ml.ask("POST", "/api/v1/models/status", {"hf_repo": MODEL, "hf_commit": "abc"})[1]
    assert status["status"] == "PARTIAL"
    assert ml.ask("POST", "/api/v1/models/status", {"hf_repo": "no/such"})[1]["status"] == "NOT_FOUND"
    assert ml.ask("GET", "/nowhere") == (404, {"detail": "Not Found"})


def test_loading_takes_its_time_and_a_second_order_is_refused(ml: Asked) -> None:
    ml.say(load_seconds=30)
    assert ml.ask("POST", "/api/v1/inference/up/async", ORDER)[1]["status"] == "starting"
    told = ml.ask("GET", "/api/v1/inference/up/status")[1]
    assert (told["status"], told["is_starting"], told["is_running"]) == ("in_progress", True, False)
    assert ml.up() == (409, {"detail": STARTING})
    assert ml.ask("GET", "/api/v1/state")[1]["state"] == "STOPPED"
    assert ml.ask("GET", "/health")[0] == 200
    ml.ask("POST", "/api/v1/stop")
    assert ml.ask("GET", "/api/v1/inference/up/status")[1]["status"] == "cancelled"


def test_the_order_is_answered_when_the_model_serves(ml: Asked) -> None:
    ml.say(load_seconds=0.2)
    started = time.monotonic()
    assert ml.up() == (200, {"status": "OK"})
    assert time.monotonic() - started >= 0.2
    assert ml.up() == (409, {"detail": RUNNING})
    state = ml.ask("GET", "/api/v1/state")[1]
    assert (state["state"], state["loaded_model"], state["inference_healthy"]) == ("INFERENCE", MODEL, True)
    told = ml.ask("GET", "/api/v1/inference/up/status")[1]
    assert (told["status"], told["is_running"]) == ("completed", True)
    with urllib.request.urlopen(f"http://127.0.0.1:{ml.node.engine.port}/health", timeout=5) as answer:
        assert answer.status == 200


def test_a_stop_ends_an_order_that_waits(ml: Asked) -> None:
    ml.say(load_seconds=30)
    answers: list[tuple[int, Any]] = []
    waiting = threading.Thread(target=lambda: answers.append(ml.up()))
    waiting.start()
    while not ml.node.engine.starting:
        time.sleep(0.01)
    ml.ask("POST", "/api/v1/inference/down")
    waiting.join(5)
    assert answers == [(500, {"detail": "startup cancelled"})]
    assert ml.node.engine.model == ""


def test_a_model_that_cannot_be_loaded(ml: Asked) -> None:
    ml.say(load_seconds=0, load_error="CUDA out of memory")
    assert ml.up() == (500, {"detail": "CUDA out of memory"})
    told = ml.ask("GET", "/api/v1/inference/up/status")[1]
    assert (told["status"], told["error"]) == ("failed", "CUDA out of memory")
    ml.say(load_seconds=0)
    assert ml.up()[0] == 200


@pytest.mark.parametrize(("args", "busy"), [((), 8), (("--tensor-parallel-size", "4"), 8),
                                            (("--tensor-parallel-size", "6"), 6)])  # fmt: skip
def test_instances_hold_the_memory_of_the_cards_they_fit_on(
    ml: Asked, args: tuple[str, ...], busy: int
) -> None:
    assert ml.cards.used() == [4] * 8
    ml.up(BIG, *args)
    assert ml.cards.used() == [73403] * busy + [4] * (8 - busy)
    assert ml.ask("GET", "/api/v1/gpu/devices")[1]["devices"][0]["used_memory_mb"] == 73403
    ml.ask("POST", "/api/v1/inference/down")
    assert ml.cards.used() == [4] * 8


def test_without_cards_it_is_not_healthy(ml: Asked) -> None:
    ml.cards.number.parent.mkdir(parents=True)
    ml.cards.number.write_text("0\n")
    status, answer = ml.ask("GET", "/health")
    assert (status, answer["status"], answer["gpu"]["count"]) == (503, "unhealthy", 0)


def test_a_conversation_is_continued_as_vllm_does(ml: Asked) -> None:
    ml.up()
    body = {"model": MODEL, "messages": [{"role": "user", "content": "how are you"}]}
    status, answer = ml.ask("POST", "/v1/chat/completions", body)
    assert (status, answer["object"], answer["model"]) == (200, "chat.completion", MODEL)
    assert answer["id"].startswith("chatcmpl-")
    (choice,) = answer["choices"]
    assert (choice["message"]["role"], choice["finish_reason"]) == ("assistant", "stop")
    usage = answer["usage"]
    assert usage["prompt_tokens"] == 3
    assert usage["total_tokens"] == 3 + usage["completion_tokens"]
    assert usage["completion_tokens"] == len(choice["message"]["content"].split())
    short = ml.ask("POST", "/v1/chat/completions", {**body, "max_tokens": 2})[1]
    assert (short["usage"]["completion_tokens"], short["choices"][0]["finish_reason"]) == (2, "length")
    text = ml.ask("POST", "/v1/completions", {"model": MODEL, "prompt": "once upon"})[1]
    assert (text["object"], bool(text["choices"][0]["text"])) == ("text_completion", True)


def test_another_model_is_404_and_no_question_is_400(ml: Asked) -> None:
    ml.up()
    status, answer = ml.ask("POST", "/v1/chat/completions", {"model": BIG, "messages": []})
    said = {
        "message": f"The model `{BIG}` does not exist.",
        "type": "NotFoundError",
        "param": None,
        "code": 404,
    }
    assert (status, answer) == (404, {"error": said})
    assert ml.ask("POST", "/v1/chat/completions", {"model": MODEL})[0] == 400
    assert ml.ask("GET", "/v1/models")[1]["data"][0]["id"] == MODEL


def test_the_first_era_has_a_state_and_no_health_and_starts_anew(tmp_path: Path) -> None:
    ml = Asked(tmp_path, "3.0.9")
    ml.say(load_seconds=0)
    assert ml.ask("GET", "/api/v1/state") == (200, {"state": "STOPPED"})
    for path in ("/health", "/api/v1/gpu/devices", "/api/v1/inference/up/status"):
        assert ml.ask("GET", path)[0] == 404
    assert ml.up() == (200, {"status": "OK"})
    assert ml.up(BIG) == (200, {"status": "OK"})
    assert ml.ask("GET", "/api/v1/state") == (200, {"state": "INFERENCE"})
    refused = ml.ask("POST", "/v1/chat/completions", {"model": MODEL, "messages": []})[1]
    assert (refused["object"], refused["code"]) == ("error", 404)
    ml.node.engine.stop()
    ml.say(load_seconds=0, load_error="no room")
    assert ml.up() == (200, {"status": "ERROR"})
