"""The Admin API's rules, asked through its handlers: both eras, statuses and error texts."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.lab.standins.admin import Admin
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.web import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MODEL = "Qwen/Qwen3-32B-FP8"
NODE: dict[str, Any] = {
    "id": "ml-01",
    "host": "10.0.0.1",
    "inference_port": 5050,
    "poc_port": 8080,
    "max_concurrent": 500,
    "models": {MODEL: {"args": ["--tensor-parallel-size", "4"]}},
}
Ask = "Callable[..., tuple[int, Any]]"


def asker(home: Path, version: str = "0.2.13", **environ: str) -> Callable[..., tuple[int, Any]]:
    settings = {"STANDIN_VERSION": version, "NODE_CONFIG_PATH": str(home / "absent"), **environ}
    admin = Admin(ApiState(home, settings))

    def ask(method: str, path: str, body: object = None, kind: str = "application/json") -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = admin.answer(Request(method, f"/admin/v1/{path}", data, {"content-type": kind}))
        return reply.status, json.loads(reply.body)

    ask.state = admin.state  # type: ignore[attr-defined]
    return ask


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., tuple[int, Any]]:
    return asker(tmp_path)


def test_a_node_is_created_flat_and_listed_with_its_state(ask: Callable[..., tuple[int, Any]]) -> None:
    status, answer = ask("POST", "nodes", NODE)
    assert status == 200
    assert answer["id"] == "ml-01"
    assert "state" not in answer
    (entry,) = ask("GET", "nodes")[1]
    assert set(entry) == {"node", "state"}
    assert entry["node"]["models"] == NODE["models"]
    assert entry["node"]["hardware"] is None
    assert entry["state"]["admin_state"]["enabled"] is True


def test_post_of_a_known_id_updates_and_keeps_the_number(ask: Callable[..., tuple[int, Any]]) -> None:
    ask("POST", "nodes", NODE)
    status, _ = ask("POST", "nodes", {**NODE, "max_concurrent": 7, "models": {MODEL: {}}})
    (entry,) = ask("GET", "nodes")[1]
    assert (status, entry["node"]["max_concurrent"], entry["node"]["node_num"]) == (200, 7, 1)
    assert entry["node"]["models"] == {MODEL: {"args": []}}


def test_put_does_not_look_at_the_id_in_its_path(ask: Callable[..., tuple[int, Any]]) -> None:
    assert ask("PUT", "nodes/somebody-else", NODE)[0] == 200
    assert [entry["node"]["id"] for entry in ask("GET", "nodes")[1]] == ["ml-01"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"id": " "}, "node id is required and cannot be empty"),
        ({"host": ""}, "host is required and cannot be empty"),
        ({"inference_port": 0}, "inference_port must be between 1 and 65535, got 0"),
        ({"poc_port": 65536}, "poc_port must be between 1 and 65535, got 65536"),
        ({"max_concurrent": 0}, "max_concurrent must be greater than 0, got 0"),
        ({"models": {}}, "at least one model must be specified"),
    ],
)
def test_bad_fields_are_400_on_create_and_500_on_update(
    ask: Callable[..., tuple[int, Any]], change: dict[str, Any], text: str
) -> None:
    status, answer = ask("POST", "nodes", {**NODE, **change})
    assert (status, answer) == (400, {"error": f"failed to create node: validation failed: {text}"})
    if "id" not in change:
        ask("POST", "nodes", NODE)
        status, answer = ask("PUT", "nodes/ml-01", {**NODE, **change})
        assert (status, answer) == (500, {"error": f"failed to update node: validation failed: {text}"})


def test_two_nodes_cannot_share_a_port_of_a_host(ask: Callable[..., tuple[int, Any]]) -> None:
    ask("POST", "nodes", NODE)
    status, answer = ask("POST", "nodes", {**NODE, "id": "ml-02", "poc_port": 8081})
    expected = "duplicate inference host+port combination: 10.0.0.1:5050 (already used by node 'ml-01')"
    assert (status, answer["error"]) == (400, f"failed to create node: validation failed: {expected}")


def test_unknown_models_are_dropped_on_create_and_refused_on_update(
    ask: Callable[..., tuple[int, Any]],
) -> None:
    mixed = {**NODE, "models": {MODEL: {}, "who/knows": {}}}
    assert list(ask("POST", "nodes", mixed)[1]["models"]) == [MODEL]
    status, answer = ask("PUT", "nodes/ml-01", mixed)
    refused = "failed to update node: model who/knows is not a valid governance model"
    assert (status, answer) == (500, {"error": refused})
    status, answer = ask("POST", "nodes", {**NODE, "id": "x", "host": "h", "models": {"who/knows": {}}})
    assert (status, answer) == (
        400,
        {"error": "failed to create node: node x has no governance-valid models"},
    )


def test_a_body_that_is_not_the_struct_is_400(ask: Callable[..., tuple[int, Any]]) -> None:
    for body, kind in (
        (b"{", "application/json"),
        ({**NODE, "poc_port": "8080"}, "application/json"),
        (NODE, ""),
    ):
        status, answer = ask("POST", "nodes", body, kind)
        assert status == 400
        assert answer["error"].startswith("invalid request body: code=4")


def test_delete_answers_a_bare_boolean(ask: Callable[..., tuple[int, Any]]) -> None:
    ask("POST", "nodes", NODE)
    assert ask("DELETE", "nodes/ml-01") == (200, True)
    assert ask("DELETE", "nodes/ml-01") == (200, False)


def test_enable_and_disable(ask: Callable[..., tuple[int, Any]]) -> None:
    ask("POST", "nodes", NODE)
    assert ask("POST", "nodes/ml-01/disable")[1]["node_id"] == "ml-01"
    assert ask("GET", "nodes")[1][0]["state"]["admin_state"]["enabled"] is False
    assert ask("POST", "nodes/nope/enable") == (404, {"error": "node not found: nope"})


def test_a_batch_says_what_failed(ask: Callable[..., tuple[int, Any]]) -> None:
    assert ask("POST", "nodes/batch", [NODE])[0] == 201
    status, answer = ask("POST", "nodes/batch", [{**NODE, "id": "b", "host": "h"}, {**NODE, "id": ""}])
    assert (status, len(answer["nodes"]), len(answer["errors"])) == (206, 1, 1)
    status, answer = ask("POST", "nodes/batch", [{**NODE, "id": ""}])
    assert (status, answer["error"]["error"]) == (400, "all nodes failed validation")


def test_nodes_survive_a_clean_stop_and_the_disabled_flag_does_not(tmp_path: Path) -> None:
    ask = asker(tmp_path)
    ask("POST", "nodes", NODE)
    ask("POST", "nodes/ml-01/disable")
    ask.state.flush()  # type: ignore[attr-defined]
    (entry,) = asker(tmp_path)("GET", "nodes")[1]
    assert (entry["node"]["id"], entry["state"]["admin_state"]["enabled"]) == ("ml-01", True)


def test_a_kill_loses_what_was_not_flushed(tmp_path: Path) -> None:
    asker(tmp_path)("POST", "nodes", NODE)
    assert asker(tmp_path)("GET", "nodes") == (200, [])


def test_node_config_is_merged_once_and_skips_what_is_wrong(tmp_path: Path) -> None:
    listed = tmp_path / "node_config.json"
    listed.write_text(json.dumps([NODE, {**NODE, "host": "other"}, {**NODE, "id": ""}]))
    first = asker(tmp_path, NODE_CONFIG_PATH=str(listed))
    assert [entry["node"]["host"] for entry in first("GET", "nodes")[1]] == ["10.0.0.1"]
    first("DELETE", "nodes/ml-01")
    first.state.flush()  # type: ignore[attr-defined]
    assert asker(tmp_path, NODE_CONFIG_PATH=str(listed))("GET", "nodes") == (200, [])


def test_the_seed_era_has_no_put_and_no_config_and_doubles_on_post(tmp_path: Path) -> None:
    ask = asker(tmp_path, "0.2.1")
    assert ask("PUT", "nodes/ml-01", NODE)[0] == 404 or ask("PUT", "nodes/ml-01", NODE)[0] == 405
    assert ask("GET", "config")[0] == 404
    ask("POST", "nodes", NODE)
    ask("POST", "nodes", NODE)
    assert len(ask.state.broker.stored) == 2  # type: ignore[attr-defined]
    assert ask("POST", "nodes", {**NODE, "models": {"who/knows": {}}}) == (
        500,
        {"error": "error creating new node"},
    )
    assert len(asker(tmp_path, "0.2.1").state.broker.stored) == 2  # type: ignore[attr-defined]


def test_the_configuration_shows_the_private_key_and_the_dump_does_not(tmp_path: Path) -> None:
    ask = asker(tmp_path)
    secret = ask("GET", "config")[1]["ml_node_key_config"]["worker_private"]
    ask.state.flush()  # type: ignore[attr-defined]
    assert secret
    assert secret not in (tmp_path / "config-dump.json").read_text()


@pytest.mark.parametrize(("trouble", "status"), [("500", 500), ("garbage", 200)])
def test_trouble_on_request(tmp_path: Path, trouble: str, status: int) -> None:
    (tmp_path / "lab-control.json").write_text(json.dumps({"admin": trouble}))
    admin = Admin(ApiState(tmp_path, {}))
    reply = admin.answer(Request("GET", "/admin/v1/nodes"))
    assert reply.status == status
    if trouble == "garbage":
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(reply.body)


def test_a_second_entry_in_the_store_ends_all_saving(tmp_path: Path) -> None:
    ask = asker(tmp_path)
    ask("POST", "nodes", NODE)
    ask.state.flush()  # type: ignore[attr-defined]
    ask("POST", "nodes/batch", [{**NODE, "host": "10.0.0.2"}])
    kept, ask.state.worker = ask.state.worker, "another"  # type: ignore[attr-defined]
    ask.state.flush()  # type: ignore[attr-defined]
    assert len(ask("GET", "config")[1]["nodes"]) == 2
    again = ApiState(tmp_path, {})
    assert (again.worker, len(again.broker.stored)) == (kept, 1)


def test_a_node_whose_model_left_governance_stays_stored_and_is_not_served(tmp_path: Path) -> None:
    ask = asker(tmp_path)
    ask("POST", "nodes", NODE)
    ask.state.flush()  # type: ignore[attr-defined]
    (tmp_path / "lab-control.json").write_text(json.dumps({"governance_models": ["another/model"]}))
    again = asker(tmp_path)
    assert again("GET", "nodes")[1] == []
    assert [node["id"] for node in again("GET", "config")[1]["nodes"]] == ["ml-01"]
    assert again("DELETE", "nodes/ml-01")[1] is False
    assert again("GET", "config")[1]["nodes"] == []


def test_nodes_take_part_in_an_epoch_on_request(tmp_path: Path) -> None:
    (tmp_path / "lab-control.json").write_text(json.dumps({"in_epoch": ["ml-01"], "epoch": 7}))
    ask = asker(tmp_path)
    ask("POST", "nodes", NODE)
    (tmp_path / "lab-control.json").write_text(json.dumps({"in_epoch": ["ml-01"], "epoch": 8}))
    ask("POST", "nodes/ml-01/disable")
    state = ask("GET", "nodes")[1][0]["state"]
    assert state["epoch_ml_nodes"][MODEL]["node_id"] == "ml-01"
    assert state["admin_state"] == {"enabled": False, "epoch": 8}


def test_the_seed_era_never_answers_again_after_an_unknown_id(tmp_path: Path) -> None:
    ask = asker(tmp_path, "0.2.1")
    asked = [threading.Thread(target=ask, args=words, daemon=True)
             for words in (("POST", "nodes/nobody/enable"), ("GET", "nodes"))]  # fmt: skip
    for thread in asked:
        thread.start()
        thread.join(0.3)
    assert all(thread.is_alive() for thread in asked)
