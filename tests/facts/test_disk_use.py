"""What fills disks, read by real df, du, stat and find from real directories."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import disk_use
from gonka_state.facts.snapshot import Answer, HostLook
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from pathlib import Path


def look(*places: Path, homes: tuple[Path, ...] = ()) -> disk_use.DiskUse:
    return disk_use.parse(run_body(disk_use.script([str(p) for p in places], [str(home) for home in homes])))


def test_backups_and_databases_are_told_with_bytes_and_age(tmp_path: Path) -> None:
    home = tmp_path / "with space"
    for path in ("data-backup-1", "data-backup-2", "data/application.db", "config"):
        (home / path).mkdir(parents=True)
    (home / "data-backup-1" / "blob").write_bytes(b"x" * 300_000)
    (home / "data/application.db" / "1.ldb").write_bytes(b"x" * 100_000)
    old = time.time() - 10 * 86400
    os.utime(home / "data-backup-1", (old, old))

    found = look(tmp_path, homes=(home, tmp_path / "none"))

    first, second = sorted(found.backups, key=lambda one: one.path)
    assert (first.path, round(first.age / 86400), first.size >= 300_000) == (
        f"{home}/data-backup-1",
        10,
        True,
    )
    assert (second.path, second.age < 60) == (f"{home}/data-backup-2", True)
    (database,) = found.databases
    assert (database.path, database.size >= 100_000) == (f"{home}/data/application.db", True)


def test_each_file_system_counts_once_also_for_a_place_that_is_not_there(tmp_path: Path) -> None:
    found = look(tmp_path, tmp_path / "not/there")

    mounts = [system.mount for system in found.file_systems]
    assert "/" in mounts
    assert len(mounts) == len(set(mounts))
    assert all(0 <= system.full <= 1 for system in found.file_systems)


def test_dockers_files_are_where_docker_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, programs = tmp_path / "moved here", tmp_path / "bin"
    (root / "containers/c1").mkdir(parents=True)
    (root / "containers/c1/c1-json.log").write_bytes(b"x" * 1000)
    (root / "containers/c1/c1-json.log.1").write_bytes(b"x" * 234)
    programs.mkdir()
    (programs / "docker").write_text(f"#!/bin/sh\necho '{root}'\n", encoding="utf-8")
    (programs / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    assert look().logs == 1234


def test_a_file_system_is_as_full_as_df_says() -> None:
    assert disk_use.FileSystem("/", 90, 10).full == pytest.approx(0.9)
    assert disk_use.FileSystem("/", 0, 0).full == 0


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    framed = "".join(
        f"#@x part {name}\n{text}\n\n#@x rc 0 \n"
        for name in ("clock", "space", "backups", "databases", "logs")
    )
    for answer in (text, framed):
        said = disk_use.read(HostLook({disk_use.SECTION: Answer(answer)}))
        assert isinstance(said, disk_use.DiskUse | str)


def test_what_was_cut_short_is_no_answer(tmp_path: Path) -> None:
    text = run_body(disk_use.script([str(tmp_path)], []))

    with pytest.raises(FactError, match="cut short"):
        disk_use.parse(text[: text.index("part backups")])
    assert disk_use.read(None) == "nobody looked"
