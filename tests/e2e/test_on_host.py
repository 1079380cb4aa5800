"""Commands for one host: what a service printed, and a port that nobody else can reach."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import CLUSTER, ML, NETWORK, ROOT

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]


def words(cluster: Cluster, command: str, *given: str) -> list[str]:
    paths = ["--path", str(CLUSTER), "--overlay", str(cluster.info.overlay)]
    return [sys.executable, "-m", "gonka_state", command, *given, *paths]


def run(cluster: Cluster, command: str, *given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(cluster, command, *given), capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


def test_a_services_log_is_docker_s(cluster: Cluster) -> None:
    ran = run(cluster, "logs", NETWORK, "api", "--tail", "5")

    assert ran.returncode == 0, ran.stderr
    expected = cluster.shell(NETWORK, "docker logs --tail 40 api 2>&1")
    lines = (ran.stdout + ran.stderr).splitlines()
    assert len(lines) == 5
    assert all(line in expected for line in lines)


def test_a_log_is_followed_until_it_is_interrupted(cluster: Cluster) -> None:
    argv = words(cluster, "logs", "network", "api", "--tail", "0", "--follow")
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            asking = (
                "for i in $(seq 40); do curl -s -o /dev/null 127.0.0.1:9200/admin/v1/nodes; sleep 0.5; done &"
            )
            cluster.shell(NETWORK, f"({asking}) >/dev/null 2>&1")
            assert process.stdout is not None
            assert "/admin/v1/nodes" in process.stdout.readline()
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


def test_the_admin_api_is_reached_through_a_tunnel_while_it_lasts(cluster: Cluster) -> None:
    argv = words(cluster, "tunnel", NETWORK, "9200", "--local", "0")
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, cwd=ROOT, stdin=subprocess.DEVNULL
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            here = said.split(" ")[0]
            with urllib.request.urlopen(f"http://{here}/admin/v1/nodes", timeout=10) as answer:
                assert {item["node"]["id"] for item in json.load(answer)} == {"network-node", *ML}
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0

    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://{here}/admin/v1/nodes", timeout=5)


def test_a_host_that_cannot_be_reached_is_said(cluster: Cluster) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "gonka_state", "logs", NETWORK, "api", "--path", str(CLUSTER), "--overlay",
         str(cluster.info.overlay), "--overlay", "/dev/stdin"],
        input=f"cluster: cluster2\nhosts: {{{NETWORK}: {{address: 127.0.0.1}}}}\nssh: {{port: 9}}\n",
        capture_output=True, text=True, timeout=60, check=False, cwd=ROOT,
    )  # fmt: skip

    assert ran.returncode == 1
    assert "cannot be reached: ssh says why above" in ran.stderr
    assert "Connection refused" in ran.stderr
