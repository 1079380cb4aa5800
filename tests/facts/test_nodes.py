"""Nodes: the parser never breaks, and an API that answers nonsense is unknown, not empty."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts import nodes
from gonka_state.facts.base import Look
from gonka_state.facts.here import Here
from gonka_state.facts.node_observed import attributes_of, observe_node
from gonka_state.facts.nodes import FACT, words_of
from gonka_state.resources.node import NodeResource

API = "http://127.0.0.1:9200"
HERE = Here("net", {})
DECLARED = NodeResource(
    name="ml-01", host="10.77.0.12", inference_port=5050, poc_port=8080, models={"a/b": {}}
)
VERSION = json.dumps({"api_version": {"version": "0.2.13"}})

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def section(body: str, code: str = "200", era: str = f"{VERSION}\n200", rc: str = "0 ") -> str:
    return f"#@x part nodes {API}\n{body}\n{code}\n#@x rc {rc}\n#@x part era {API}\n{era}\n#@x rc 0 \n"


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


@given(st.one_of(json_values.map(json.dumps), st.text()).filter(lambda body: "#@x" not in body))
def test_an_answer_is_a_list_or_a_problem(body: str) -> None:
    api = FACT.parse(section(body)).apis[API]

    assert api.problem or all("node" in entry for entry in api.nodes)


@given(
    st.dictionaries(st.sampled_from(["id", "host", "models", "poc_segment", "hardware"]), json_values),
    json_values,
)
def test_a_strange_node_is_still_compared(config: dict[str, object], state: object) -> None:
    read = FACT.parse(section(json.dumps([{"node": {**config, "id": "ml-01"}, "state": state}])))

    seen = observe_node(read, DECLARED, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes.keys() >= DECLARED.attributes().keys()


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
        (section("", "000", rc="7 curl: (7) Failed to connect to 127.0.0.1 port 9200"), "does not answer: Failed to connect", "compose-service"),
        (section('{"error": "broker is busy"}', "500"), "answers 500: broker is busy", ""),
        (section("<html>"), "answers with no JSON: '<html>'", ""),
        (section('{"nodes": []}'), "answers with no list of nodes", ""),
        (section("", "", rc="127 sh: 3: curl: not found"), "curl is not installed", ""),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_unknown(text: str, reason: str, pending_on: str) -> None:
    seen = observe_node(FACT.parse(text), DECLARED, HERE)

    assert isinstance(seen, Unknown)
    assert reason in seen.reason
    assert seen.pending_on == pending_on
    assert seen.hint


def test_an_empty_list_of_go_is_an_empty_list() -> None:
    assert isinstance(observe_node(FACT.parse(section("null")), DECLARED, HERE), Absent)


def test_an_api_nobody_asked_is_unknown() -> None:
    other = DECLARED.model_copy(update={"api": "http://127.0.0.1:9"})

    assert isinstance(observe_node(FACT.parse(section("[]")), other, HERE), Unknown)


def test_an_id_that_is_listed_twice_is_told() -> None:
    entry = {"node": {"id": "ml-01", "models": {}}, "state": {}}

    seen = observe_node(FACT.parse(section(json.dumps([entry, entry]))), DECLARED, HERE)

    assert isinstance(seen, Present)
    assert "lists ml-01 2 times" in seen.reason


@pytest.mark.parametrize(
    ("era", "version", "writable"),
    [
        (f"{VERSION}\n200", "0.2.13", True),
        ('{"api_version": {"version": "v0.2.4-post1"}}\n200', "v0.2.4-post1", True),
        ('{"api_version": {"version": "0.2.3"}}\n200', "0.2.3", False),
        ('{"api_version": {"version": "dev 1.2"}}\n200', "dev 1.2", None),
        ("nonsense", "", None),
        ("config\n404", "", False),
        ("config\n200", "", True),
        ("config\n000", "", None),
    ],
)
def test_the_apis_age(era: str, version: str, writable: bool | None) -> None:  # noqa: FBT001 (a parameter of the test)
    api = FACT.parse(section("[]", era=era)).apis[API]

    assert (api.version, api.writable) == (version, writable)


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


def test_the_private_configuration_is_thrown_away_on_the_host() -> None:
    script = FACT.script([DECLARED, DECLARED], Look(http_timeout=4))

    assert [line for line in script.splitlines() if "/admin/v1/config" in line] == [
        r"""  printf 'config\n'; curl -s -o /dev/null --max-time "$1" -w '%{http_code}' -- "$2/admin/v1/config" """.rstrip()
    ]
    assert script.count("part 'nodes ") == 1


def test_alone_it_takes_an_api() -> None:
    assert "http://10.0.0.1:9200/admin/v1/nodes" in FACT.standalone(api="http://10.0.0.1:9200")
    assert nodes.Nodes.__name__ == "Nodes"  # type: ignore[attr-defined] # made on demand
