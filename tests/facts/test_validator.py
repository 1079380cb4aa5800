"""What the chain holds against a cluster: asked by a real curl of the lab's chain node, on the loopback address."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import validator
from gonka_state.facts.base import Look
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins import web
from gonka_state.lab.standins.ledger import Ledger
from gonka_state.lab.standins.rest import Rest
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from pathlib import Path

COLD = "gonka1cold"


def section(validators: str) -> str:
    """The section as the script prints it, around this answer, which ends with its HTTP status."""
    parts = {"container": "running 172.18.0.6", "validators": validators, "end": "end"}
    return "".join(f"#@x part {name}\n{text}\n\n#@x rc 0 \n" for name, text in parts.items())


@pytest.mark.parametrize(("jailed", "expected"), [(True, True), (False, False), (None, None)])
def test_the_own_node_tells_whether_the_validator_is_jailed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, jailed: bool | None, expected: bool | None
) -> None:
    people = {} if jailed is None else {COLD: {"jailed": jailed}}
    rest = Rest(lambda: Ledger({"participants": people}))
    server = web.serve(0, rest.routes.answer)
    port = server.server_address[1]
    program = tmp_path / "docker"  # the node's address is all that is asked of it
    program.write_text("#!/bin/sh\necho running 127.0.0.1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    try:
        script = validator.script(COLD, Look()).replace("PORT=1317", f"PORT={port}")
        found = validator.parse(run_body(script))
    finally:
        server.shutdown()
        server.server_close()

    assert (found.problem, found.jailed) == ("", expected)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (section("oops\n500"), "it answers 500"),
        (
            "#@x part container\n\n#@x rc 1 Error: No such container: node\n#@x part end\nend\n\n#@x rc 0 \n",
            "No such container",
        ),
    ],
)
def test_a_chain_node_that_does_not_say_is_a_problem(text: str, problem: str) -> None:
    assert problem in validator.parse(text).problem


def test_nonsense_is_no_answer() -> None:
    with pytest.raises(FactError, match="cannot be understood"):
        validator.parse(section('{"validators": [{"operator_address": "a"}]}\n200'))
    with pytest.raises(FactError, match="cut short"):
        validator.parse("#@x part container\nrunning\n\n#@x rc 0 \n")


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    for answer in (text, section(f"{text}\n200")):
        said = validator.read(HostLook({validator.SECTION: Answer(answer)}))
        assert isinstance(said, validator.Standing | str)
