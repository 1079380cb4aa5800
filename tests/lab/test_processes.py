"""Only what the lab started is ever ended, and what it stands on is not forgotten."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import LabError
from gonka_state.lab import base, processes
from gonka_state.lab.paths import LabPaths, clusters, locked

if TYPE_CHECKING:
    from pathlib import Path

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]


def test_a_started_process_is_remembered_and_ended(tmp_path: Path) -> None:
    pid = processes.start(tmp_path / "pid", tmp_path / "log", SLEEP)
    assert processes.remembered(tmp_path / "pid") == pid
    processes.stop(tmp_path / "pid")
    assert processes.start_time(pid) == ""
    assert not (tmp_path / "pid").exists()


def test_one_that_does_not_listen_is_ended_too(tmp_path: Path) -> None:
    pid = processes.start(tmp_path / "pid", tmp_path / "log", STUBBORN)
    processes.stop(tmp_path / "pid", patience=0.5)
    assert processes.start_time(pid) == ""


def test_another_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()} 1\n")
    assert processes.remembered(tmp_path / "pid") is None
    processes.stop(tmp_path / "pid")
    assert processes.start_time(os.getpid())


@pytest.mark.parametrize("text", ["", "nonsense", "12", "999999999 5"])
def test_a_half_written_or_old_file_names_nobody(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)
    assert processes.remembered(tmp_path / "pid") is None
    processes.stop(tmp_path / "pid")


def test_a_missing_program_is_the_labs_own_error(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="no-such-program is not installed"):
        processes.start(tmp_path / "pid", tmp_path / "log", ["no-such-program"])


def test_two_commands_on_one_lab_do_not_run_at_once(tmp_path: Path) -> None:
    with (
        locked(tmp_path / "x.lock", "another command"),
        pytest.raises(LabError, match="another command is at work"),
        locked(tmp_path / "x.lock", "another command"),
    ):
        pass


def test_old_bases_go_unless_a_host_stands_on_them(tmp_path: Path, state_home: Path) -> None:
    del state_home
    for name in ("base-x-new", "base-x-old", "base-x-used", "packages"):
        (tmp_path / name).mkdir()
    with locked(tmp_path / "base-x-used/in-use", "a lab host"):
        base._forget_old(tmp_path, tmp_path / "base-x-new")  # noqa: SLF001  (the rule is the point)
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} >= {
        "base-x-new",
        "base-x-used",
        "packages",
    }
    assert not (tmp_path / "base-x-old").exists()


def test_without_home_the_password_database_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert LabPaths("c").root.is_absolute()


def test_lock_files_are_no_labs(state_home: Path) -> None:
    root = state_home / "gonka-state/lab"
    (root / "c").mkdir(parents=True)
    (root / "c.lock").touch()
    assert clusters() == ["c"]
