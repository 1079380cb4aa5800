"""Picking values on the host: what was not named never comes out, whatever the answer looks like."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import picked
from gonka_state.facts.nodes import LISTED, STORED

if TYPE_CHECKING:
    from pathlib import Path

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORKER = "oUVhGrpKVDMm7J9jsNqsQdWvZLrXvTqnbW2jQAEpNE0="


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a curl in it that answers with a file, as the real one would have."""
    place = tmp_path_factory.mktemp("answers")
    curl = place / "curl"
    curl.write_text('#!/bin/sh\nfor url in "$@"; do :; done\ncat "$url"\n')
    curl.chmod(0o755)
    return place


def pick(answers: Path, body: bytes, allowed: str, code: str = "200") -> str:
    (answers / "body").write_bytes(body + f"\n{code}".encode())
    script = f"PATH={answers}:$PATH\n{picked.PICK}\n{picked.pick(1, str(answers / 'body'), allowed)}\n"
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, check=False)
    return done.stdout.decode("utf-8", "surrogateescape")


@given(json_values, st.booleans())
@settings(max_examples=60)
def test_what_is_named_arrives_as_it_was(answers: Path, value: Any, pretty: bool) -> None:  # noqa: ANN401, FBT001 (JSON; drawn)
    body = json.dumps({"a": value, "b": {"secret": WORKER}}, indent=2 if pretty else None)

    said = pick(answers, body.encode(), picked.wanted("a/**"))

    assert picked.read(said) == picked.Picked(200, whole=True, value={"a": value})
    assert WORKER not in said


@given(st.one_of(st.binary(), json_values.map(lambda value: json.dumps(value).encode())), st.integers(0, 40))
@settings(max_examples=60)
def test_no_answer_breaks_it(answers: Path, body: bytes, cut: int) -> None:
    said = pick(answers, body[: len(body) - cut], picked.wanted("*/a", "b"), "503")

    assert picked.read(said).status == 503


@given(json_values)
@settings(max_examples=40)
def test_a_private_key_stays_on_the_host(answers: Path, value: Any) -> None:  # noqa: ANN401 (JSON)
    node = {"id": "ml-01", "host": "10.0.0.1", "auth_token": WORKER, "models": {"m": {"args": ["--x"]}}}
    config = {
        "nodes": [node],
        "ml_node_key_config": {"worker_private": WORKER},
        "seed": value,
        "x": [[WORKER]],
    }
    body = json.dumps(config, indent=2)

    for text in (body, body[: body.rindex("}")], body.replace('"seed"', "seed"), f"[{body}]"):
        assert WORKER not in pick(answers, text.encode(), STORED)
    listed = pick(answers, json.dumps([{"node": node, "state": {}}]).encode(), LISTED)
    assert WORKER not in listed
    assert picked.read(listed).value == [
        {"node": {"id": "ml-01", "host": "10.0.0.1", "models": {"m": {"args": ["--x"]}}}}
    ]


@pytest.mark.parametrize(
    ("body", "whole", "value"),
    [
        ("null", True, None),
        ("[]", True, []),
        ("{}", True, {}),
        ('[{"id": 1}, {"no": 1}]', True, [{"id": 1}, None]),
        ('[{"id": "a\\\\"}, {"id": "b\\"c"}]', True, [{"id": "a\\"}, {"id": 'b"c'}]),
        ('[{"id": {"id": 1}}]', True, [None]),
        ("<html>", False, None),
        ('"text"', False, None),
        ('{"id": "cut', False, {}),
        ('[{"id": 1}', False, None),
        ('[{"id": 1}]]', False, None),
        ('[{"id": nonsense}]', False, None),
        ("", False, None),
    ],
)
def test_the_form_of_an_answer(answers: Path, body: str, whole: bool, value: object) -> None:  # noqa: FBT001 (a parameter of the test)
    found = picked.read(pick(answers, body.encode(), picked.wanted("*/id")))

    assert found.whole is whole
    assert not whole or found.value == value


def test_no_answer_has_no_status(answers: Path) -> None:
    assert picked.read(pick(answers, b"", picked.wanted("a"), "000")).status == 0


@given(st.text())
def test_a_damaged_part_is_an_error(text: str) -> None:
    try:
        picked.read(text)
    except FactError:
        return
    assert text.rstrip("\n").split("\n")[-1].startswith("end ")


def test_an_error_in_an_error_is_found() -> None:
    assert picked.Picked(400, whole=True, value={"error": {"error": "all\n failed"}}).error == "all failed"
    assert picked.Picked(400, whole=True, value=[1]).error == ""
