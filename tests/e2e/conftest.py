"""The lab under test: six real hosts for the plan's second cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gonka_state import lab
from tests.e2e.world import CLUSTER, ROOT, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """Six hosts, booted by our own command; a lab that runs already is used and kept."""
    kept = any(host.up for host in lab.status() if host.cluster == "cluster2")
    words = [sys.executable, "-m", "gonka_state", "lab"]
    subprocess.run([*words, "up", str(CLUSTER)], check=True, cwd=ROOT, timeout=900, stdin=subprocess.DEVNULL)
    yield Cluster(lab.info("cluster2"))
    if not kept:
        subprocess.run([*words, "down", "cluster2"], check=True, cwd=ROOT, timeout=300)
