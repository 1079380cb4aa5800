"""What the lab's tests share: a mark for those that boot hosts, and a place for state of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def pytest_configure(config: pytest.Config) -> None:
    for line in (
        "lab: boots real hosts on this machine (root, namespaces and mounts)",
        "six_hosts: on the lab of cluster2, which those of one run share; added by itself",
    ):
        config.addinivalue_line("markers", line)


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An XDG state directory that only this test sees."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path
