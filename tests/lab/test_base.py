"""The base system is built once, whoever asks for it at the same time."""

from __future__ import annotations

import fcntl
import threading
from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import LabError
from gonka_state.lab import base, recipe
from gonka_state.lab.machine import codename
from gonka_state.lab.paths import cache_root, locked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that only this test sees."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return cache_root()


def test_who_comes_second_waits_and_takes_what_the_first_has_built(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(recipe, "build", lambda part, *_: built.append(part))
    said: list[str] = []
    cache.mkdir(parents=True)
    with (cache / "build.lock").open("a") as first:
        fcntl.flock(first, fcntl.LOCK_EX)

        def finish(line: str) -> None:
            said.append(line)
            (cache / f"base-{codename()[1]}-{base.key()}").mkdir()
            threading.Timer(0.2, fcntl.flock, (first, fcntl.LOCK_UN)).start()

        found = base.ensure(finish)

    assert found.is_dir()
    assert built == []
    assert said == ["the build of the base system is at work in another process: waiting for it"]


def test_what_nobody_waits_for_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with locked(path, "a command"), pytest.raises(LabError, match="a command is at work in another process"):  # noqa: SIM117
        with locked(path, "a command"):
            pass
