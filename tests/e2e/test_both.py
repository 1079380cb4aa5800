"""Both of the plan's clusters at once, from twelve bare hosts: converge without a path. Only with --soak (scripts/soak)."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gonka_state import lab
from tests.e2e.world import ROOT, Cluster, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3600)]

SUBNETS = {"cluster1": "10.78.0.0/24", "cluster2": "10.77.0.0/24"}
MODELS = ("Qwen/Qwen3-32B-FP8", "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8")


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest) -> Iterator[list[Cluster]]:
    if not request.config.getoption("--soak"):
        pytest.skip("twelve hosts take ten minutes: scripts/soak")
    try:
        for name, subnet in SUBNETS.items():
            lab_command("up", f"desired/{name}.yaml", "--subnet", subnet)
        yield [Cluster(lab.info(name), ROOT / f"desired/{name}.yaml") for name in SUBNETS]
    finally:
        for name in SUBNETS:
            lab_command("down", name)


def lab_command(*words: str) -> None:
    argv = [sys.executable, "-m", "gonka_state", "lab", *words]
    subprocess.run(argv, check=True, cwd=ROOT, timeout=900, capture_output=True)


def run(both: list[Cluster], command: str, *words: str) -> Ran:
    """A command on every cluster in desired/."""
    overlays = [word for cluster in both for word in ("--overlay", str(cluster.info.overlay))]
    done = subprocess.run(
        [sys.executable, "-m", "gonka_state", command, *overlays, *words],
        capture_output=True, text=True, timeout=2400, check=False, cwd=ROOT, stdin=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("GONKA_")},
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr)


def test_two_clusters_from_bare_hosts_to_completions(both: list[Cluster]) -> None:
    first = run(both, "converge", "--yes", "--allow", "warm-key", "--allow", "registration", "--json")
    assert first.status == 6, _left(first) + first.err
    for report in first.document["clusters"]:
        left = {item["kind"] for item in report["after"]["changes"] if not item["warning"]}
        assert "grants" in left
    for cluster in both:
        cluster.grant()

    last = run(both, "converge", "--yes", "--json")
    after = run(both, "diff")

    assert last.status == 0, _left(last) + last.err
    assert after.status == 0, after.out
    for cluster in both:
        cluster.served(MODELS, "both")


def _left(ran: Ran) -> str:
    """What a converge left, a line each."""
    changes = [item for report in ran.document["clusters"] for item in report["after"]["changes"]]
    return "".join(f"{item['address']}: {item['reason']} {item['held']}\n" for item in changes)
