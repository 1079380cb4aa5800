"""Sick on purpose: causes made real on two hosts, and doctor finds these and no other."""

from __future__ import annotations

import json
import re
import shlex
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.small import JOIN, ML, MODEL, NETWORK

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

HUB = f"/mnt/shared/hub/models--{MODEL.replace('/', '--')}"
SETTLED = 150
"""Seconds until a container that was restarted is healthy, its node loaded, and the API has looked at it."""


@pytest.fixture(scope="module")
def sick(small_cluster: Cluster) -> Cluster:
    """A registered cluster that serves, and is well."""
    small_cluster.served((MODEL,), "doctor")
    return small_cluster


def diagnosed(cluster: Cluster, *words: str) -> dict[str, dict[str, dict[str, Any]]]:
    """What doctor says, by host and symptom."""
    ran = cluster.run("doctor", "--json", *words)
    return {
        host: {line["symptom"]: line for line in said["symptoms"]}
        for host, said in ran.cluster["hosts"].items()
    }


def hurts(cluster: Cluster, *words: str) -> set[tuple[str, str]]:
    """What it found."""
    return _of(diagnosed(cluster, *words), "found")


def _of(said: dict[str, dict[str, dict[str, Any]]], verdict: str) -> set[tuple[str, str]]:
    return {
        (host, name)
        for host, lines in said.items()
        for name, line in lines.items()
        if line["verdict"] == verdict
    }


RESTARTS = 7


def well(cluster: Cluster) -> None:
    """Wait until nothing hurts any more."""
    deadline = time.monotonic() + SETTLED
    while (ran := cluster.run("doctor")).status != 0:
        assert time.monotonic() < deadline, ran.out
        time.sleep(5)


def test_on_a_cluster_that_is_well_nothing_hurts_and_nothing_starts_anew(sick: Cluster) -> None:
    well(sick)
    before = sick.started()
    sessions = {host: sick.sessions(host) for host in (NETWORK, ML)}

    ran = sick.run("doctor")
    every = diagnosed(sick)

    spent = {host: sick.sessions(host) - sessions[host] for host in (NETWORK, ML)}
    assert ran.status == 0
    assert "Doctor: nothing known hurts: 0 found, 0 unknown" in ran.out.splitlines()[-1]
    assert _of(every, "unknown") == set()
    assert {"jailed", "reward", "PoC callback", "seed node", "upgrade without binary", "API", "ML nodes"} <= {
        name for lines in every.values() for name in lines
    }
    assert sick.started() == before
    # Each run is one look and one try of the ports; the question itself is one more.
    assert spent == {NETWORK: 2 * 2 + 1, ML: 2 * 2 + 1}


def test_causes_made_real_are_found_and_nothing_else(sick: Cluster) -> None:
    node = json.loads(sick.shell(NETWORK, "curl -s 127.0.0.1:9200/admin/v1/nodes"))
    (far,) = [one["node"]["id"] for one in node if one["node"]["host"] != "inference"]
    old = f"{JOIN}/.inference/data-backup-2026-10-1"
    made = sick.shell(
        NETWORK,
        f"mkdir {old} && head -c 3000000 /dev/zero >{old}/application.db && touch -d '9 days ago' {old}"
        f" && curl -fsS -X POST 127.0.0.1:9200/admin/v1/nodes/{far}/disable >/dev/null && echo made",
    )
    assert made.strip() == "made"
    sick.shell(ML, f"cd {HUB}/snapshots/*/ && mv -T $(readlink -f model-00001-of-*) /root/shard")
    with jailed(sick):
        found = diagnosed(sick)

    assert _of(found, "found") == {
        (NETWORK, "old data backups"), (NETWORK, "nodes switched off or on"), (NETWORK, "jailed"), (ML, "models"),
    }  # fmt: skip
    assert _of(found, "unknown") == set()
    assert f"{old}, 3.0 MB, 9 d old" in found[NETWORK]["old data backups"]["evidence"]
    assert f"rm -r {old}" in found[NETWORK]["old data backups"]["fix"].splitlines()
    assert (
        f"curl -X POST http://127.0.0.1:9200/admin/v1/nodes/{far}/enable"
        in found[NETWORK]["nodes switched off or on"]["fix"]
    )
    assert "slashing unjail" in found[NETWORK]["jailed"]["fix"]
    assert hurts(sick, "--host", ML) == {(ML, "models"), (NETWORK, "nodes switched off or on")}
    for fix in (found[NETWORK]["old data backups"], found[NETWORK]["nodes switched off or on"]):
        sick.shell(NETWORK, fix["fix"].splitlines()[-1])
    sick.shell(ML, f"mv /root/shard $(readlink -m {HUB}/snapshots/*/model-00001-of-*)")
    well(sick)


class jailed:  # noqa: N801 (used as a function)
    """The chain holds the cluster's validator as jailed, until this is left."""

    def __init__(self, cluster: Cluster) -> None:
        self.path, self.before = cluster.info.seed_state, cluster.info.seed_state.read_text()

    def __enter__(self) -> None:
        state = json.loads(self.before)
        for participant in state["participants"].values():
            participant["jailed"] = True
        self._put(json.dumps(state))
        time.sleep(3)  # the own node copies the seed's state every second

    def __exit__(self, *_: object) -> None:
        self._put(self.before)

    def _put(self, text: str) -> None:
        part = self.path.with_suffix(".part")
        part.write_text(text)
        part.replace(self.path)


def test_a_container_that_is_killed_over_and_over(sick: Cluster) -> None:
    """As the kernel does it for want of memory, which a lab host cannot be made to lack: its first process, from outside."""
    container = sick.shell(ML, "docker ps -qf label=com.docker.compose.service=mlnode-308").strip()
    pid = f'pid=$(docker inspect -f "{{{{.State.Pid}}}}" {container}); [ "$pid" -le 1 ] || kill -9 "$pid"'
    loop = shlex.quote(f"while [ -e /run/killing ]; do {pid}; sleep 0.2; done")
    sick.shell(ML, f"touch /run/killing; timeout 180 sh -c {loop} >/dev/null 2>&1 </dev/null &")
    try:
        deadline = time.monotonic() + 90
        # From then on Docker waits for seconds before each start.
        while int(sick.shell(ML, f"docker inspect -f '{{{{.RestartCount}}}}' {container}")) < RESTARTS:
            assert time.monotonic() < deadline, "Docker does not start it again"
            time.sleep(1)
        found = diagnosed(sick)
        sick.shell(ML, "rm /run/killing")
        deadline = time.monotonic() + SETTLED
        while "the last time" not in (again := diagnosed(sick)[ML]["containers"])["evidence"]:
            assert time.monotonic() < deadline, again
            time.sleep(2)
    finally:
        sick.shell(ML, f"rm -f /run/killing; sleep 1; docker restart -t 1 {container} >/dev/null")

    assert (ML, "containers") in _of(found, "found")
    evidence = found[ML]["containers"]["evidence"]
    assert "mlnode-308" in evidence
    assert "restarted" in evidence, evidence
    # It runs and answers by now, and did so before each of its ends.
    assert again["verdict"] == "found"
    assert re.search(rf"restarted ([{RESTARTS}-9]|\d\d) times, the last time \d+ s ago", again["evidence"])
    well(sick)


def test_known_words_of_a_log_and_no_other_leave_the_host(sick: Cluster) -> None:
    """A container of the project says what the chain's program says; the line around it stays on the host."""
    words = '5:49AM ERR in proxyAppConn err=\\"no validator signing info found\\" password=Correct-Horse-9'
    sick.shell(
        NETWORK,
        f"docker run -d --name talks --label com.docker.compose.service=talks --entrypoint python3"
        f" ghcr.io/gonka-ai/mlnode:3.0.13 -c 'print(\"{words}\", flush=True); import time; time.sleep(600)' >/dev/null; sleep 2",
    )
    try:
        ran = sick.run("doctor", "--json")
    finally:
        sick.shell(NETWORK, "docker rm -f talks >/dev/null")

    lines = {line["symptom"]: line for line in ran.cluster["hosts"][NETWORK]["symptoms"]}
    assert (lines["signing info"]["verdict"], lines["signing info"]["evidence"]) == (
        "found", "talks: no validator signing info found",
    )  # fmt: skip
    assert "Correct-Horse-9" not in ran.out + ran.err
    assert "proxyAppConn" not in ran.out


def test_a_stopped_engine_is_the_symptom_and_what_follows_is_not_called_well(sick: Cluster) -> None:
    sick.shell(ML, "systemctl stop docker docker.socket")
    try:
        found = diagnosed(sick, "--host", ML)
    finally:
        sick.shell(ML, "systemctl start docker.socket docker")

    assert (ML, "Docker daemon") in _of(found, "found")
    assert (ML, "containers") in _of(found, "unknown")
    assert found[ML]["Docker daemon"]["evidence"].startswith("the Docker engine is stopped")
    well(sick)
