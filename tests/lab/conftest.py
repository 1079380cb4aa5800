"""What the lab's tests share: a place for state of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An XDG state directory that only this test sees."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path
