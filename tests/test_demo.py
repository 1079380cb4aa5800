"""Where hosts cannot be booted, the demo compares a recorded snapshot instead, and says why."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a capability away")
def test_without_namespaces_a_snapshot_is_compared() -> None:
    done = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "scripts/demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "hosts cannot be booted here (" in done.stdout
    last = done.stdout.splitlines()[-1]
    assert last.startswith("Plan: ")
    assert "; 0 unknown; " in last
