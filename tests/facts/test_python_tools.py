"""Environments as they are found: by what pip has written, and by whether the program answers."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Observation, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.here import Here
from gonka_state.facts.python_tools import FACT, observe_tool
from gonka_state.resources.python_tool import PythonToolResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Here("h", {})


def wish(path: Path | str, **more: str) -> PythonToolResource:
    words = {"name": "t", "package": "a_tool", "version": "1.0", "path": str(path), "program": "a"}
    return PythonToolResource.model_validate(words | more)


@pytest.fixture
def look(section: Callable[..., str]) -> Callable[[PythonToolResource], Observation]:
    return lambda resource: observe_tool(FACT.parse(section(FACT, [resource])), resource, HERE)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "an env"
    for name, version in (("a.tool", "1.0"), ("a_tool_more", "7")):
        info = place / f"lib/python3.11/site-packages/{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: a_tool\nVersion: 9\n"
        )
    (place / "pyvenv.cfg").write_text("home = /usr/bin\n")
    program = place / "bin" / "a"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\nassert sys.argv[1:] == ['--version']\n")
    program.chmod(0o755)
    return place


def test_an_environment_is_in_sync(place: Path, look: Callable[..., Observation]) -> None:
    resource = wish(place, link=str(place.parent / "a"))
    (place.parent / "a").symlink_to(resource.command)

    found = look(resource)

    assert isinstance(found, Present)
    assert found.attributes == resource.attributes()


def test_a_program_that_fails_is_said_in_its_own_words(place: Path, look: Callable[..., Observation]) -> None:
    (place / "bin/a").write_text("#!/bin/sh\necho I am broken >&2\nexit 3\n")

    found = look(wish(place))

    assert isinstance(found, Present)
    assert (found.attributes["runs"], found.attributes["version"]) == (False, "1.0")
    assert found.reason.endswith("does not answer: I am broken")


def test_an_empty_directory_is_absent_and_another_one_is_left_alone(
    tmp_path: Path, look: Callable[..., Observation]
) -> None:
    assert look(wish(tmp_path / "none")) == Absent()
    (tmp_path / "empty").mkdir()
    assert look(wish(tmp_path / "empty")) == Absent()
    assert isinstance(look(wish(tmp_path)), Unknown)


@pytest.mark.parametrize("wheels", ["wheels", "ftp://x/y", "http://a b/"])
def test_wheels_are_a_directory_or_an_address(wheels: str) -> None:
    with pytest.raises(ValueError, match="wheels"):
        wish("/t", wheels=wheels)


@given(st.text(), st.text(st.characters(exclude_characters="\n")))
def test_any_answer_is_understood_or_refused(text: str, line: str) -> None:
    framed = f"#@x part place t\nenvironment\n#@x rc 0\n#@x part version t\n{text}\n#@x rc 0\n#@x part answers t\n#@x rc 1 {line}\n"
    for answer in (text, framed):
        try:
            state = FACT.parse(answer)
        except FactError:
            continue
        assert isinstance(observe_tool(state, wish("/t"), HERE), Absent | Present | Unknown)


def test_it_can_be_used_alone(place: Path, body: Callable[[str], str]) -> None:
    found = FACT.parse(body(FACT.standalone(path=str(place), package="a-tool", program="a")))
    assert found["a"].version == "1.0"
    with pytest.raises(FactError, match="takes path="):
        FACT.standalone(version="1")
    assert importlib.import_module("gonka_state.facts.python_tools").PythonTools.name.endswith("PythonTools")
