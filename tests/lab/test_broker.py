"""The broker and the network node's completions, with ML nodes that really listen."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.lab.standins import callback, web, worker
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.chain import Chain
from gonka_state.lab.standins.nodes import parse
from gonka_state.lab.standins.public import Public
from tests.lab.test_mlnode import MODEL, Asked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OTHER = "Qwen/QwQ-32B"
QUESTION = {"model": MODEL, "messages": [{"role": "user", "content": "hello there"}]}


@pytest.fixture
def ml(tmp_path: Path) -> Iterator[tuple[Asked, int]]:
    """An ML node on a port of this machine."""
    asked = Asked(tmp_path)
    asked.say(load_seconds=0)
    server = web.serve(0, asked.node.answer)
    yield asked, server.server_address[1]
    asked.node.engine.stop()
    server.shutdown()
    server.server_close()


def registered(home: Path, inference: int, management: int, *models: str, chain: str = "") -> ApiState:
    environ = {
        "NODE_CONFIG_PATH": str(home / "absent"),
        "DAPI_CHAIN_NODE__URL": chain or "http://127.0.0.1:1",
    }
    state = ApiState(home / "dapi", environ)
    node = {
        "id": "ml-01", "host": "127.0.0.1", "inference_port": inference, "poc_port": management,
        "max_concurrent": 5, "models": {model: {} for model in models},
    }  # fmt: skip
    state.broker.create(parse(node))
    return state


def current(state: ApiState) -> dict[str, Any]:
    (entry,) = state.broker.listing()
    return dict(entry["state"])


def test_the_broker_has_the_first_model_loaded_and_waits_beside(
    tmp_path: Path, ml: tuple[Asked, int]
) -> None:
    asked, port = ml
    asked.say(load_seconds=5)
    state = registered(tmp_path, asked.node.engine.port, port, MODEL, OTHER)
    started = time.monotonic()
    worker.look_after(state, with_hardware=True)
    assert time.monotonic() - started < 5
    assert current(state)["reconcile_info"]["status"] == 1
    assert state.broker.listing()[0]["node"]["hardware"] == [
        {"type": "NVIDIA H100 80GB HBM3 | 79GB", "count": 8}
    ]
    while "reconcile_info" in current(state):
        worker.look_after(state, with_hardware=False)
        time.sleep(0.05)
    assert current(state)["current_status"] == "INFERENCE"
    assert asked.node.engine.model == min(MODEL, OTHER)


def test_a_disabled_node_is_left_alone_and_one_that_cannot_load_has_failed(
    tmp_path: Path, ml: tuple[Asked, int]
) -> None:
    asked, port = ml
    state = registered(tmp_path, asked.node.engine.port, port, MODEL)
    state.broker.enable("ml-01", enabled=False)
    worker.look_after(state, with_hardware=False)
    assert asked.node.engine.status == "not_started"
    state.broker.enable("ml-01", enabled=True)
    asked.say(load_seconds=0, load_error="CUDA out of memory")
    worker.load(state, next(iter(state.broker.nodes.values())))
    assert current(state)["current_status"] == "FAILED"


def chat(state: ApiState, body: object, **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = Public(state).answer(web.Request("POST", "/v1/chat/completions", data, headers))
    return reply.status, json.loads(reply.body)


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[str]:
    """The chain node's RPC on a port of this machine."""
    server = web.serve(0, Chain(tmp_path / "inference").answer)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_plain_request_is_refused_as_the_real_one_does(tmp_path: Path) -> None:
    state = registered(tmp_path, 1, 2, MODEL)
    assert chat(state, QUESTION) == (401, {"error": "Authorization is required"})
    assert chat(state, {}, authorization="k") == (400, {"error": "No model specified"})
    assert chat(state, b"{", authorization="k")[0] == 500
    assert chat(state, QUESTION, authorization="k")[0] == 500  # there is no chain node here


def test_completions_come_from_an_enabled_node_that_serves_the_model(
    tmp_path: Path, ml: tuple[Asked, int], chain: str
) -> None:
    asked, port = ml
    state = registered(tmp_path, asked.node.engine.port, port, MODEL, OTHER, chain=chain)
    none = (500, {"error": "no nodes available for inference"})
    assert chat(state, QUESTION, authorization="k") == none
    asked.up(MODEL)
    status, answer = chat(state, QUESTION, authorization="k")
    assert (status, answer["id"], answer["model"]) == (200, "k", MODEL)
    assert answer["usage"]["prompt_tokens"] == 2
    assert chat(state, {**QUESTION, "model": OTHER}, authorization="k") == none
    status, answer = chat(state, {"model": MODEL}, authorization="k")
    assert (status, "code = 400" in answer["error"]) == (400, True)
    state.broker.enable("ml-01", enabled=False)
    assert chat(state, QUESTION, authorization="k") == none


def test_a_node_that_does_not_answer_is_named(tmp_path: Path, ml: tuple[Asked, int], chain: str) -> None:
    asked, port = ml
    state = registered(tmp_path, 1, port, MODEL, chain=chain)
    asked.up(MODEL)
    assert chat(state, QUESTION, authorization="k")[1] == {"error": "node ml-01 server error: status=502"}


def test_results_are_taken_at_the_addresses_of_the_era() -> None:
    def post(path: str, *, seed_era: bool) -> int:
        return callback.routes(seed_era=seed_era).answer(web.Request("POST", path, b"{}")).status

    assert post("/v2/poc-batches/m/generated", seed_era=False) == 200
    assert post("/v2/poc-batches/m/generated", seed_era=True) == 404
    assert post("/mlnode/v1/poc-batches/validated", seed_era=True) == 200
