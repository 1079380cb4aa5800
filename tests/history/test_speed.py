"""A year of checks every five minutes is answered at once, and takes no more room than is told."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gonka_state.history.file import history_file, opened
from tests.history.year import CHECKS_A_DAY, fill

if TYPE_CHECKING:
    from pathlib import Path

YEAR = 365
LARGEST = 20_000_000


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return history_file()


def spent(*words: str) -> tuple[float, str]:
    """The least CPU seconds of three runs of the program, and what it said."""
    times, said = [], ""
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        said = subprocess.run(
            [sys.executable, "-m", "gonka_state", *words], check=True, capture_output=True, text=True
        ).stdout
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times), said


def test_a_year_of_two_clusters(state: Path) -> None:
    with opened(state) as connection:
        assert fill(connection, YEAR, time.time()) == 2 * YEAR * CHECKS_A_DAY

    # The yardstick is an answer that reads almost nothing: a slow or busy machine is slow for all of them.
    hour, _ = spent("history", "--since", "1h")
    whole, overview = spent("history", "--since", f"{YEAR}d")
    one, run = spent("history", "show", str(YEAR * CHECKS_A_DAY // 2))

    assert overview.count(f"  {YEAR * CHECKS_A_DAY} checks") == 2, overview
    assert f"#{YEAR * CHECKS_A_DAY // 2} drift" in run
    # Measured: 4 to 6 times, and once. What would break it: a query for each check, 100 times.
    assert whole < 15 * hour
    assert one < 4 * hour
    assert state.stat().st_size < LARGEST
