"""A deployment restarted, taken down and brought back on real hosts; judged by their own programs.

The tests are one story, in this order: what runs is restarted, then taken down in an epoch and after it, then brought back.
"""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e import small
from tests.e2e.small import JOIN, ML, MODEL, NAME, NETWORK
from tests.e2e.world import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster, Ran

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

HOSTS = (NETWORK, ML)
DESTROY = ("--yes-destroy", NAME)
EPOCH = 312
HUB = f"/mnt/shared/hub/models--{MODEL.replace('/', '--')}"


@pytest.fixture(scope="module")
def cluster(small_cluster: Cluster) -> Cluster:
    """One network and one ML host, in sync at first."""
    return small_cluster


def restarted(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The containers that are the same and have another start."""
    assert {name: at.split()[0] for name, at in before.items()} == {
        name: at.split()[0] for name, at in after.items()
    }
    return {name for name, at in before.items() if after[name] != at}


def restart(cluster: Cluster, *words: str, yes: bool = True) -> Ran:
    """`restart` with the service before the file."""
    service, *rest = words
    return cluster.run(f"restart {service}", *(["--yes"] if yes else []), *rest)


def test_exactly_the_service_restarts_one_host_after_the_other(cluster: Cluster) -> None:
    before = cluster.started()

    ran = restart(cluster, "mlnode-308", "--json")

    after = cluster.started()
    mine = [f"{host}/join-mlnode-308-1" for host in HOSTS]
    assert ran.status == 0, ran.out + ran.err
    assert restarted(before, after) == set(mine)
    first, second = (after[name].split()[1] for name in mine)
    assert first < second
    assert [step["status"] for step in ran.cluster["steps"]] == ["changed", "changed"]
    assert cluster.run("diff").status == 0


def test_without_a_terminal_a_restart_is_shown_and_nothing_more(cluster: Cluster) -> None:
    before = cluster.started()

    ran = restart(cluster, "explorer", yes=False)

    assert ran.status == 6
    assert "restarted false → true" in ran.out
    assert restarted(before, cluster.started()) == set()


def test_nothing_restarts_outside_of_a_quiet_phase(cluster: Cluster) -> None:
    before = cluster.started()
    small.chain(cluster, phase="PoCGenerate")
    try:
        held = restart(cluster, "mlnode-308")
        assert restarted(before, cluster.started()) == set()
        overruled = restart(cluster, "explorer", "--ignore-phase", "nobody looks at it")
    finally:
        small.chain(cluster)

    assert held.status == 6
    assert "not now: the chain is in PoCGenerate" in held.out
    assert overruled.status == 0, overruled.out + overruled.err
    assert restarted(before, cluster.started()) == {f"{NETWORK}/explorer"}


def test_a_host_that_does_not_come_back_stops_the_others(cluster: Cluster, tmp_path: Path) -> None:
    impatient = tmp_path / "impatient.yaml"
    impatient.write_text(f"cluster: {NAME}\nrun: {{timeouts: {{healthy: 8}}}}\n")
    unanswered = "OUTPUT -p tcp --dport 8080 -j REJECT"
    cluster.shell(NETWORK, f"iptables -I {unanswered}")
    before = cluster.started()
    try:
        ran = restart(cluster, "mlnode-308", "--overlay", str(impatient))
    finally:
        cluster.shell(NETWORK, f"iptables -D {unanswered}")

    assert ran.status == 5
    assert re.search(rf"skipped +{ML}/compose-service:mlnode-308", ran.out), ran.out
    assert restarted(before, cluster.started()) == {f"{NETWORK}/join-mlnode-308-1"}
    small.converged(cluster)


def test_what_the_api_forgets_when_it_restarts_is_named(cluster: Cluster) -> None:
    cluster.shell(NETWORK, f"curl -fs -X POST http://127.0.0.1:9200/admin/v1/nodes/{ML}/disable")
    before = cluster.started()

    ran = restart(cluster, "api")

    assert ran.status == 0, ran.out + ran.err
    assert restarted(before, cluster.started()) == {f"{NETWORK}/api"}
    assert f"node {ML} was disabled before its restart, and is not any more" in ran.err
    assert small.nodes(cluster)[ML] is True


def data(cluster: Cluster) -> dict[str, set[str]]:
    """Every file of keys and chain data on each host."""
    script = f"cd {JOIN} && for d in .inference .tmkms .dapi; do [ ! -d $d ] || find $d -type f; done"
    return {host: set(cluster.shell(host, script).splitlines()) for host in HOSTS}


def sums(cluster: Cluster) -> dict[str, str]:
    """Checksums of what no program writes: keys, and models."""
    keys = ".inference/keyring-file .inference/config/node_key.json .tmkms/secrets"
    script = (
        f"cd {JOIN}; {{ find {keys} -type f 2>/dev/null; find -L {HUB}/ -type f; }} | sort | xargs sha256sum"
    )
    return {host: cluster.shell(host, script) for host in HOSTS}


def containers(cluster: Cluster) -> dict[str, list[str]]:
    return {host: cluster.shell(host, "docker ps -a --format '{{.Names}}'").split() for host in HOSTS}


def typed(cluster: Cluster, answer: str) -> tuple[int, str]:
    """`cleanup` at a terminal, where somebody types; its status and what it printed."""
    ours, theirs = pty.openpty()
    argv = [
        sys.executable,
        "-m",
        "gonka_state",
        "cleanup",
        str(cluster.file),
        "--overlay",
        str(cluster.info.overlay),
    ]
    with subprocess.Popen(
        argv, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        os.write(ours, f"{answer}\n".encode())
        out, _ = process.communicate(timeout=120)
    os.close(theirs)
    os.close(ours)
    return process.returncode, out


def test_a_cleanup_lists_everything_and_does_nothing_without_the_name(cluster: Cluster) -> None:
    before = cluster.started()

    shown = cluster.run("cleanup")
    status, out = typed(cluster, "smal")

    assert (shown.status, status) == (6, 2), shown.out + shown.err
    assert f"add --yes-destroy {NAME}" in shown.err
    for text in (shown.out, out):
        assert re.search(r"- node:network-node .*\n(.*\n)*.*- compose-service:tmkms", text), text
        assert "repository: /opt/gonka, 2 hosts" in text
    assert restarted(before, cluster.started()) == set()
    assert small.nodes(cluster) == {"network-node": True, ML: True}


def test_in_an_epoch_nodes_are_disabled_and_what_runs_stays(cluster: Cluster) -> None:
    before = cluster.started()
    small.chain(cluster, epoch=EPOCH, in_epoch=["network-node", ML])

    ran = cluster.run("cleanup", *DESTROY)

    assert ran.status == 6, ran.out + ran.err
    assert f"takes part in epoch {EPOCH} until block" in ran.out
    assert small.nodes(cluster) == {"network-node": False, ML: False}
    assert restarted(before, cluster.started()) == set()


def test_after_it_nodes_go_and_what_runs_waits_for_the_reward(cluster: Cluster) -> None:
    before = cluster.started()
    small.chain(cluster, epoch=EPOCH + 1)
    small.reward(cluster, EPOCH, rewarded_coins=5)

    ran = cluster.run("cleanup", *DESTROY)

    assert ran.status == 6, ran.out + ran.err
    assert f"the reward of epoch {EPOCH} is not claimed" in ran.out
    assert small.nodes(cluster) == {}
    assert restarted(before, cluster.started()) == set()


@pytest.fixture(scope="module")
def taken_down(cluster: Cluster) -> dict[str, Any]:
    """The cleanup's last run, with what was there before it."""
    small.chain(cluster, epoch=EPOCH + 1)
    small.reward(cluster, EPOCH, rewarded_coins=5, claimed=True)
    before: dict[str, Any] = {"data": data(cluster), "sums": sums(cluster)}
    ran = cluster.run("cleanup", *DESTROY, "--json")
    assert ran.status == 0, ran.out[-4000:] + ran.err
    return {**before, "ran": ran}


def test_what_was_deployed_is_gone_and_keys_and_data_are_untouched(
    cluster: Cluster, taken_down: dict[str, Any]
) -> None:
    assert containers(cluster) == {NETWORK: [], ML: []}
    for host in HOSTS:
        assert cluster.shell(host, "docker network ls --format '{{.Name}}'").split() == [
            "bridge",
            "host",
            "none",
        ]
        allowed = re.findall(r"^(\d+/\w+) +ALLOW", cluster.shell(host, "ufw status"), re.MULTILINE)
        assert allowed == ["22/tcp"]
        assert cluster.shell(host, f"ls -A {JOIN} | grep -E '^config.env$|gonka-state' || true") == ""
        assert (
            cluster.shell(host, "git -C /opt/gonka -c safe.directory=/opt/gonka status --porcelain -uno")
            == ""
        )
    assert small.stored(cluster) == []
    lost = {host: taken_down["data"][host] - found for host, found in data(cluster).items()}
    assert lost == {NETWORK: set(), ML: set()}
    assert sums(cluster) == taken_down["sums"]
    assert "keyring-file" in taken_down["sums"][NETWORK]
    assert "safetensors" in taken_down["sums"][ML]
    told = {item["kind"] for item in json.loads(taken_down["ran"].out)["stays"]}
    assert {"model", "repository", "warm-key", "package"} <= told


def test_a_second_cleanup_runs_nothing(cluster: Cluster, taken_down: dict[str, Any]) -> None:  # noqa: ARG001 (it is down)
    ran = cluster.run("cleanup", "--json", *DESTROY)

    assert (ran.status, ran.cluster["steps"]) == (0, []), ran.out


def test_a_diff_shows_exactly_what_was_removed(cluster: Cluster, taken_down: dict[str, Any]) -> None:
    steps = taken_down["ran"].cluster["steps"]
    removed = {step["address"] for step in steps if step["kind"] != "node"}  # known once their API is back

    found = cluster.run("diff", "--json").cluster["changes"]

    added = {item["address"]: item["kind"] for item in found if item["action"] == "create"}
    assert removed <= added.keys()
    # Without a container there is no chain to be in sync, and without its files a project names no images.
    assert {kind for address, kind in added.items() if address not in removed} == {
        "chain-sync",
        "compose-images",
    }
    nodes = {item["address"] for item in found if item["kind"] == "node"}
    assert nodes == {f"{NETWORK}/node:network-node", f"{NETWORK}/node:{ML}"}


@pytest.mark.usefixtures("taken_down")
def test_a_converge_brings_it_back_without_a_step_that_cannot_be_taken_back(cluster: Cluster) -> None:
    small.converged(cluster)

    assert cluster.run("diff").status == 0
    assert small.nodes(cluster) == {"network-node": True, ML: True}


@pytest.mark.usefixtures("taken_down")
def test_who_gives_up_the_reward_goes_at_once_and_models_go_on_request(cluster: Cluster) -> None:
    small.chain(cluster, epoch=EPOCH + 2, in_epoch=["network-node", ML])
    keys = cluster.shell(
        NETWORK, f"cd {JOIN} && find .inference/keyring-file .tmkms/secrets -type f | xargs sha256sum"
    )

    ran = cluster.run("cleanup", "--models", "--allow", "lost-reward", *DESTROY)

    assert ran.status == 0, ran.out + ran.err
    assert containers(cluster) == {NETWORK: [], ML: []}
    assert small.stored(cluster) == []
    for host in HOSTS:
        assert cluster.shell(host, "find /mnt/shared/hub -name '*.safetensors'") == ""
    assert keys == cluster.shell(
        NETWORK, f"cd {JOIN} && find .inference/keyring-file .tmkms/secrets -type f | xargs sha256sum"
    )
