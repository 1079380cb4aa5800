"""Nodes: the parser never breaks, and an API that answers nonsense is unknown, not empty."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts import nodes
from gonka_state.facts.admin_api import words_of
from gonka_state.facts.base import Look
from gonka_state.facts.here import Here
from gonka_state.facts.node_observed import (
    attributes_of,
    observe_node,
    refuse_nodes,
    unmanaged_nodes,
    wanted_node,
)
from gonka_state.facts.node_status import status_of
from gonka_state.facts.nodes import FACT
from gonka_state.resources.node import NodeResource

ADDRESS = Address("net", "node", "ml-01")
API = "http://127.0.0.1:9200"
HERE = Here("net", {})
DECLARED = NodeResource(
    name="ml-01", host="10.77.0.12", inference_port=5050, poc_port=8080, models={"a/b": {}}
)


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def leaves(value: Any, *path: str) -> list[str]:  # noqa: ANN401 (JSON)
    """A value as `pick` prints it."""
    if isinstance(value, dict) and value:
        return [line for key, item in value.items() for line in leaves(item, *path, json.dumps(key))]
    if isinstance(value, list) and value:
        return [line for at, item in enumerate(value) for line in leaves(item, *path, str(at))]
    return ["\t".join([*path, json.dumps(value)])] if path else []


def picked(value: Any, code: int = 200) -> str:  # noqa: ANN401 (JSON)
    root = {dict: "{", list: "[", type(None): "null"}.get(type(value), "?")
    size = len(value) if isinstance(value, list) else 0
    return "\n".join([*leaves(value), f"end {root} {size} {code:03}"])


def section(nodes: str, rc: str = "0 ", **others: str) -> str:
    parts = {"nodes": nodes, "versions": picked({"api_version": {"version": "0.2.13"}}), **others}
    texts = [
        f"#@x part {name} {API}\n{text}\n#@x rc 0 \n"
        for name, text in parts.items()
        if text and name != "nodes"
    ]
    return f"#@x part clock\n1000\n#@x rc 0 \n#@x part nodes {API}\n{nodes}\n#@x rc {rc}\n" + "".join(texts)


def entry(name: str = "ml-01", state: object = None, **config: object) -> dict[str, Any]:
    return {"node": {**DECLARED.attributes(), "id": name, **config}, "state": state or {}}


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


@given(json_values)
def test_an_answer_is_a_list_or_a_problem(value: Any) -> None:  # noqa: ANN401 (JSON)
    text = picked(value)
    if "#@x" in text:
        return
    api = FACT.parse(section(text)).apis[API]

    assert api.problem or all("node" in entry for entry in api.nodes)


@given(
    st.dictionaries(st.sampled_from(["host", "models", "poc_segment", "max_concurrent"]), json_values),
    json_values,
    json_values,
)
def test_a_strange_node_is_still_compared(config: dict[str, object], state: object, stored: object) -> None:
    answers = picked([{"node": {**config, "id": "ml-01"}, "state": state}]), picked({"nodes": stored})
    if "#@x" in "".join(answers):
        return
    read = FACT.parse(section(answers[0], config=answers[1]))

    seen = observe_node(read, DECLARED, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes.keys() >= wanted_node(read, DECLARED, HERE).keys()
    assert refuse_nodes(read, {ADDRESS: DECLARED}, HERE).keys() <= {ADDRESS}
    assert unmanaged_nodes(read, [DECLARED], HERE) == [] or stored


def test_missing_null_and_empty_are_alike() -> None:
    bare: dict[str, Any] = {
        "node": {
            "id": "a",
            "models": {"m": None, "n": {"args": None}, "o": {"args": []}},
            "poc_segment": None,
        }
    }

    attributes = attributes_of(bare)

    assert attributes["models"] == {name: {"args": []} for name in "mno"}
    assert (attributes["poc_segment"], attributes["inference_segment"], attributes["enabled"]) == (
        "",
        "",
        None,
    )


@pytest.mark.parametrize(
    ("text", "reason", "pending_on"),
    [
        (section("end - 0 000", rc="4 curl: (7) Failed to connect to 127.0.0.1 port 9200"), "does not answer: Failed to connect", "compose-service"),
        (section(picked({"error": "broker is busy"}, 500)), "answers 500: broker is busy", ""),
        (section("end ? 0 502"), "answers 502: no reason given", ""),
        (section("end ? 0 200"), "answers with something that is no JSON", ""),
        (section(picked({"nodes": []})), "answers with something that is no list of nodes", ""),
        (section(picked([{"id": "ml-01"}])), "answers with something that is no list of nodes", ""),
        (section("", rc="127 curl is not installed"), "curl is not installed", "package"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown(text: str, reason: str, pending_on: str) -> None:
    seen = observe_node(FACT.parse(text), DECLARED, HERE)

    assert isinstance(seen, Unknown)
    assert reason in seen.reason
    assert seen.pending_on == pending_on
    assert seen.hint


def test_an_empty_list_of_go_is_an_empty_list() -> None:
    assert isinstance(observe_node(FACT.parse(section(picked(None))), DECLARED, HERE), Absent)


def test_an_api_nobody_asked_is_unknown() -> None:
    other = DECLARED.model_copy(update={"api": "http://127.0.0.1:9"})

    assert isinstance(observe_node(FACT.parse(section(picked([]))), other, HERE), Unknown)


def test_an_id_that_is_listed_twice_is_told() -> None:
    seen = observe_node(FACT.parse(section(picked([entry(), entry()]))), DECLARED, HERE)

    assert isinstance(seen, Present)
    assert "lists ml-01 2 times" in seen.reason


def version(text: str) -> str:
    return picked({"api_version": {"version": text}})


@pytest.mark.parametrize(
    ("answers", "version", "upserts"),
    [
        ({}, "0.2.13", True),
        ({"versions": version("v0.2.4-post1")}, "v0.2.4-post1", True),
        ({"versions": version("0.2.3"), "config": picked({"error": "Not Found"}, 404)}, "0.2.3", False),
        ({"versions": version("dev 1.2")}, "dev 1.2", None),
        ({"versions": version("dev"), "config": picked({"nodes": []})}, "dev", True),
        ({"versions": "end ? 0 200"}, "", None),
        ({"versions": "", "config": picked({}, 404)}, "", False),
        ({"versions": "", "config": "end - 0 000"}, "", None),
    ],
)
def test_the_apis_age(answers: dict[str, str], version: str, upserts: bool | None) -> None:  # noqa: FBT001 (a parameter of the test)
    read = FACT.parse(section(picked([entry()]), **answers))
    api = read.apis[API]

    assert (api.version, api.upserts) == (version, upserts)
    assert bool(refuse_nodes(read, {ADDRESS: DECLARED}, HERE)) is (upserts is None)


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"models": picked({"models": [{"id": "a/b"}, {"id": "c/d"}]})}, ""),
        ({"models": picked({"models": [{"id": "c/d"}, {"id": "b/e"}]})}, "a/b is no model of this chain's governance, the API would drop it; there are: b/e, c/d"),
        ({"models": picked({"error": "no chain"}, 500), "seed": picked({"models": [{"id": "a/b"}]})}, ""),
        ({"models": picked({"error": "no chain"}, 500), "seed": "end - 0 000"}, "are not known (GET /v1/governance/models answers 500"),
        ({"models": picked({"models": None})}, "answers 200 without a model"),
        ({}, "does not answer"),
    ],
)  # fmt: skip
def test_a_model_is_registered_only_when_governance_knows_it(answers: dict[str, str], why: str) -> None:
    read = FACT.parse(section(picked([]), **answers))

    found = refuse_nodes(read, {ADDRESS: DECLARED}, HERE)

    assert bool(found) is bool(why)
    assert why in found.get(ADDRESS, "")


def test_what_is_registered_as_declared_needs_no_governance() -> None:
    switched = DECLARED.model_copy(update={"enabled": False})

    assert refuse_nodes(FACT.parse(section(picked([entry()]))), {ADDRESS: switched}, HERE) == {}


def stored(*nodes: dict[str, Any]) -> str:
    return picked({"nodes": [item["node"] for item in nodes]})


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (stored(entry()), ""),
        (stored(), "not stored: the API forgets it at its next restart"),
        (stored(entry(), entry()), "stored 2 times: the API can save nothing any more"),
        (stored(entry(models={"a/b": {}, "c/d": {}})), "stored otherwise than listed: models.c/d {'args': []} instead of None"),
        (stored(entry(host="10.0.0.9", hardware=[1])), "host '10.0.0.9' instead of '10.77.0.12'"),
    ],
)  # fmt: skip
def test_the_stored_configuration_is_compared(config: str, reason: str) -> None:
    read = FACT.parse(section(picked([entry()]), config=config))

    seen = observe_node(read, DECLARED, HERE)

    assert isinstance(seen, Present)
    assert wanted_node(read, DECLARED, HERE)["persisted"] is True
    assert seen.attributes["persisted"] is (not reason)
    assert reason in seen.reason


def test_where_nobody_tells_what_is_stored_it_is_not_compared() -> None:
    read = FACT.parse(section(picked([entry()]), config=picked({"error": "Not Found"}, 404)))

    assert "persisted" not in wanted_node(read, DECLARED, HERE)


def test_a_node_that_is_only_stored_is_unmanaged_and_named() -> None:
    read = FACT.parse(section(picked([]), config=stored(entry("old"))))

    (found,) = unmanaged_nodes(read, [DECLARED], HERE)

    assert (found.name, "stored only" in found.detail) == ("old", True)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, ""),
        ({"current_status": "INFERENCE", "intended_status": "INFERENCE"}, "status INFERENCE"),
        ({"current_status": "FAILED", "intended_status": "INFERENCE", "failure_reason": "No epoch models available for this node"},
         "status FAILED, INFERENCE intended, No epoch models available for this node (normal before its first PoC)"),
        ({"current_status": "UNKNOWN", "intended_status": "UNKNOWN", "status_timestamp": "1970-01-01T00:10:00.5Z"}, "status UNKNOWN, as of 400 s ago"),
        ({"current_status": "STOPPED", "status_timestamp": "yesterday"}, "status STOPPED"),
    ],
)  # fmt: skip
def test_a_status_is_told_and_not_compared(state: dict[str, object], words: str) -> None:
    assert status_of({"node": {}, "state": state}, 1000.0) == words
    seen = observe_node(FACT.parse(section(picked([entry(state=state)]))), DECLARED, HERE)
    assert isinstance(seen, Present)
    assert seen.reason == words


@pytest.mark.parametrize(
    ("state", "epoch", "first", "held"),
    [
        ({"admin_state": {"enabled": True, "epoch": 4}}, 5, {}, ""),
        ({"epoch_ml_nodes": {"a/b": {}}, "admin_state": {"enabled": True, "epoch": 4}}, 5, {"enabled": False}, ""),
        ({"lock_count": 2, "admin_state": {"enabled": True, "epoch": 4}}, 5, {"enabled": False}, ""),
        ({"epoch_ml_nodes": {"a/b": {}}, "admin_state": {"enabled": False, "epoch": 5}}, 5, {}, "not before the next epoch: it was disabled in epoch 5"),
        ({"epoch_ml_nodes": {"a/b": {}}, "admin_state": {"enabled": False, "epoch": 4}}, 5, {}, ""),
        ({"epoch_ml_nodes": {"a/b": {}}, "admin_state": {"enabled": False, "epoch": 4}}, None, {}, "the current one is not known"),
    ],
)  # fmt: skip
def test_a_node_leaves_in_two_epochs(
    state: dict[str, object], epoch: int | None, first: dict[str, bool], held: str
) -> None:
    gone = DECLARED.model_copy(update={"state": "absent"})
    chain = picked({"latest_epoch": {"index": epoch}}) if epoch is not None else "end - 0 000"
    read = FACT.parse(section(picked([entry(state=state)]), epoch=chain))

    seen = observe_node(read, gone, HERE)
    refused = refuse_nodes(read, {ADDRESS: gone}, HERE)

    assert isinstance(seen, Present)
    assert seen.before_removal == first
    assert bool(refused) is bool(held)
    assert held in refused.get(ADDRESS, "")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"error": {"error": "all nodes failed validation", "errors": []}}', "all nodes failed validation"),
        ('{"message": "no"}', '{"message": "no"}'),
        ("502 Bad\n Gateway", "502 Bad Gateway"),
    ],
)
def test_an_apis_words(body: str, words: str) -> None:
    assert words_of(body) == words


def test_an_api_is_asked_once_for_all_its_nodes() -> None:
    script = FACT.script([DECLARED, DECLARED], Look(http_timeout=4))

    assert script.count("part 'nodes ") == 1
    assert script.count("/admin/v1/config") == 1


def test_the_seed_is_asked_only_where_there_is_one() -> None:
    seeded = DECLARED.model_copy(update={"seed_api": "http://203.0.113.7:8000"})

    assert "seed" not in FACT.script([DECLARED], Look())
    assert "http://203.0.113.7:8000/v1/governance/models" in FACT.script([DECLARED, seeded], Look())


def test_alone_it_takes_an_api() -> None:
    assert "http://10.0.0.1:9200/admin/v1/nodes" in FACT.standalone(api="http://10.0.0.1:9200")
    assert nodes.Nodes.__name__ == "Nodes"  # type: ignore[attr-defined] # made on demand
