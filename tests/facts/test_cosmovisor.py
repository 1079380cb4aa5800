"""Cosmovisor's tree, as the program makes it, read by real shell tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import cosmovisor
from gonka_state.facts.snapshot import Answer, HostLook
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from pathlib import Path


def binary(home: Path, upgrade: str, *, mode: int = 0o755) -> None:
    file = home / "cosmovisor/upgrades" / upgrade / "bin/inferenced"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"program")
    file.chmod(mode)


def look(home: Path) -> cosmovisor.Home:
    return cosmovisor.parse(run_body(cosmovisor.script([str(home)])))[str(home)]


def plan(home: Path, text: str) -> None:
    (home / "data").mkdir(parents=True)
    (home / "data/upgrade-info.json").write_text(text)


def test_the_plan_its_binaries_and_what_runs(tmp_path: Path) -> None:
    home = tmp_path / "with space"
    binary(home, "v0.2.12")
    binary(home, "v0.2.13%2Brc")
    binary(home, "v0.2.14", mode=0o644)
    (home / "cosmovisor/current").symlink_to("/root/.inference/cosmovisor/upgrades/v0.2.13%2Brc")
    info = {
        "name": "v0.2.14",
        "time": "0001-01-01T00:00:00Z",
        "height": 2140800,
        "info": json.dumps({"binaries": {}}),
    }
    plan(home, json.dumps(info))

    found = look(home)

    assert (found.upgrade, found.height, found.current) == ("v0.2.14", 2140800, "v0.2.13+rc")
    assert (set(found.ready), found.empty) == ({"v0.2.12", "v0.2.13+rc"}, ("v0.2.14",))


@pytest.mark.parametrize("link", ["genesis", "/root/.inference/cosmovisor/genesis"])
def test_before_the_first_upgrade(tmp_path: Path, link: str) -> None:
    (tmp_path / "cosmovisor").mkdir()
    (tmp_path / "cosmovisor/current").symlink_to(link)

    assert look(tmp_path) == cosmovisor.Home()


def test_where_nothing_was_started_yet_there_is_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "none") == cosmovisor.Home()


def test_of_a_plan_only_its_name_and_height_leave_the_host(tmp_path: Path) -> None:
    plan(tmp_path, json.dumps({"name": "v1", "height": "12", "info": "token=Correct-Horse-9"}, indent=2))

    text = run_body(cosmovisor.script([str(tmp_path)]))

    assert "Correct" not in text
    assert (look(tmp_path).upgrade, look(tmp_path).height) == ("v1", 12)


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    framed = "".join(
        f"#@x part {name} /h\n{text}\n\n#@x rc 0 \n" for name in ("planned", "binaries", "running")
    )
    for answer in (text, framed):
        said = cosmovisor.read(HostLook({cosmovisor.SECTION: Answer(answer)}))
        assert isinstance(said, dict | str)


def test_what_was_cut_short_is_no_answer(tmp_path: Path) -> None:
    text = run_body(cosmovisor.script([str(tmp_path)]))

    with pytest.raises(FactError, match="cut short"):
        cosmovisor.parse(text[: text.index("part 'running" if "part 'running" in text else "part running")])
