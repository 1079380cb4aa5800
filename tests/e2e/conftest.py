"""The lab under test: six real hosts for the plan's second cluster."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gonka_state import lab
from tests.e2e import small
from tests.e2e.world import ROOT, Cluster, Demo

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def booted() -> Iterator[Demo | None]:
    """The lab, booted from nothing by the demo; one that runs already is used as it is, and kept."""
    if any(host.up for host in lab.status() if host.cluster == "cluster2"):
        yield None
        return
    started = time.monotonic()
    try:
        done = subprocess.run(
            ["scripts/demo", "--keep"],
            cwd=ROOT,
            timeout=1200,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr
        yield Demo(done.stdout, time.monotonic() - started)
    finally:
        words = [sys.executable, "-m", "gonka_state", "lab", "down", "cluster2"]
        subprocess.run(words, check=True, cwd=ROOT, timeout=300)


@pytest.fixture(scope="session")
def demo(booted: Demo | None) -> Demo:
    """The demo's own run."""
    if booted is None:
        pytest.skip("the lab of cluster2 was up already: the demo starts from bare hosts")
    return booted


@pytest.fixture(scope="session")
def cluster(booted: Demo | None) -> Cluster:  # noqa: ARG001 (the lab it names is up)
    """Six hosts, in sync or as somebody left them."""
    return Cluster(lab.info("cluster2"))


@pytest.fixture(scope="session")
def small_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two hosts, from bare to converged; whoever takes them down comes last."""
    with small.booted(tmp_path_factory.mktemp("small")) as cluster:
        yield cluster
