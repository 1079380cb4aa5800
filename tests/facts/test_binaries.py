"""Program files: the digest of what `current` leads to, though its link is one of a container's."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Observation, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look
from gonka_state.facts.binaries import FACT, observe_binary
from gonka_state.facts.here import Here
from gonka_state.resources.binary import BinaryResource
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Here("h", {})
SHA = hashlib.sha256(b"program").hexdigest()


def look(path: Path | str) -> Observation:
    wish = BinaryResource(name=str(path), sha256=SHA)
    return observe_binary(FACT.parse(run_body(FACT.script([wish], Look()))), wish, HERE)


@pytest.mark.parametrize(
    ("link", "place", "upgrade"),
    [
        ("/root/.inference/cosmovisor/upgrades/v0.2.13", "upgrades/v0.2.13", "upgrade v0.2.13: "),
        ("/root/.inference/cosmovisor/upgrades/a%2Fb", "upgrades/a%2Fb", "upgrade a/b: "),
        ("/root/.inference/cosmovisor/genesis", "genesis", "genesis: "),
        ("upgrades/v1", "upgrades/v1", "upgrade v1: "),
    ],
)
def test_current_is_followed_on_the_host(tmp_path: Path, link: str, place: str, upgrade: str) -> None:
    root = tmp_path / "with space" / "cosmovisor"
    file = root / place / "bin" / "inferenced"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"program")
    (root / "current").symlink_to(link)

    found = look(root / "current/bin/inferenced")

    assert isinstance(found, Present)
    assert (found.attributes["sha256"], found.reason) == (SHA, f"{upgrade}{file}")


def test_a_plain_file_is_itself(tmp_path: Path) -> None:
    (tmp_path / "p").write_bytes(b"other")

    found = look(tmp_path / "p")

    assert isinstance(found, Present)
    assert (found.attributes["sha256"] == SHA, found.reason) == (False, str(tmp_path / "p"))


def test_what_is_not_there_is_known_after_the_container_starts(tmp_path: Path) -> None:
    found = look(tmp_path / "p")

    assert isinstance(found, Unknown)
    assert found.pending_on == "compose-service"


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    framed = f"#@x part file /p\n{text}\n#@x rc 0\n#@x part sum /p\n{text}\n#@x rc 0\n"
    for answer in (text, framed):
        try:
            state = FACT.parse(answer)
        except FactError:
            continue
        seen = observe_binary(state, BinaryResource(name="/p", sha256=SHA), HERE)
        assert isinstance(seen, Present | Unknown)


def test_it_can_be_used_alone(body: Callable[[str], str]) -> None:
    found = FACT.parse(body(FACT.standalone(path="/usr/bin/env")))
    assert found["/usr/bin/env"].sha256 == hashlib.sha256(Path("/usr/bin/env").read_bytes()).hexdigest()
    with pytest.raises(FactError, match="takes path="):
        FACT.standalone(name="a")
    assert importlib.import_module("gonka_state.facts.binaries").Binaries.name.endswith("Binaries")
