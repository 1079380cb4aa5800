"""Packages: whatever dpkg prints is understood or refused, and this machine's own can be read."""

from __future__ import annotations

import importlib
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Present
from gonka_state.errors import FactError
from gonka_state.facts.here import Here
from gonka_state.facts.packages import FACT, PackagesState, observe_package
from gonka_state.resources.package import PackageResource

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Here("h", {})


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="dpkg is Debian's")
def test_this_machines_packages(section: Callable[..., str]) -> None:
    wishes = [
        PackageResource(name="dpkg", minimum="1.0"),
        PackageResource(name="base-files", minimum="9999"),
        PackageResource(name="gs-nosuch", minimum="1"),
    ]

    state = FACT.parse(section(FACT, wishes))

    dpkg, old, missing = (observe_package(state, wish, HERE) for wish in wishes)
    assert isinstance(dpkg, Present)
    assert dpkg.attributes == {"installed": True, "minimum": "1.0"}
    assert isinstance(old, Present)
    assert old.attributes["minimum"] == state.packages["base-files"][1]
    assert missing == Absent()


def framed(*parts: tuple[str, str]) -> str:
    return "".join(f"#@x part {name}\n{text}\n#@x rc 0\n" for name, text in parts)


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("ii |ab|1", True), ("hi |ab|1", True), ("iW |ab|1", True), ("it |ab|1", True), ("iU |ab|1", "unpacked"),
        ("iF |ab|1", "half-configured"), ("iH |ab|1", "half-installed"), ("iiR|ab|1", "half-installed"),
        ("rc |ab|1", None), ("un |ab|", None), ("pn |ab|", None),
    ],
)  # fmt: skip
def test_every_state_of_dpkg(line: str, left: Any) -> None:  # noqa: ANN401  (text or true)
    state = FACT.parse(framed(("packages", line), ("older", ""), ("work", "done")))

    found = observe_package(state, PackageResource(name="ab"), HERE)

    assert (found.attributes["installed"] if isinstance(found, Present) else None) == left


def test_a_database_that_cannot_be_read_is_unknown() -> None:
    text = "#@x part packages\n\n#@x rc 2 dpkg-query: error: failed to open package info file\n"

    with pytest.raises(FactError, match="failed to open package info file"):
        FACT.parse(text)


@given(st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30)))
def test_any_answer_is_understood_or_refused(lines: list[str]) -> None:
    try:
        state = FACT.parse(framed(("packages", "\n".join(lines)), ("older", ""), ("work", "done")))
    except FactError:
        return
    assert isinstance(state, PackagesState)


def test_it_can_be_used_alone() -> None:
    assert "packages packages git curl" in FACT.standalone(name="git,curl")
    with pytest.raises(FactError, match="takes name="):
        FACT.standalone(version="1")
    assert importlib.import_module("gonka_state.facts.packages").Packages.name.endswith("Packages")
