"""diff, converge, look again, on six real hosts; judged from other shells, not by our own report."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.world import CLUSTER, ML, NETWORK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster, Ran

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1800)]

JOIN = "/opt/gonka/deploy/join"
BARE = {"PATH": "/usr/bin:/bin"}


@pytest.fixture(scope="module")
def first_diff(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, int]:
    """The first look, from elsewhere and with cron's empty environment; and what sshd counted."""
    before = cluster.sessions(ML[0])
    ran = cluster.run("diff", "--json", env=BARE, cwd=tmp_path_factory.mktemp("elsewhere"))
    return ran, cluster.sessions(ML[0]) - before - 1


@pytest.fixture(scope="module")
def converged(cluster: Cluster, first_diff: tuple[Ran, int]) -> Ran:
    """The cluster, closed once."""
    assert first_diff[0].status in {0, 2}
    ran = cluster.run("converge", "--yes", "--json")
    assert ran.status == 0, ran.out[-4000:] + ran.err[-2000:]
    return ran


def test_a_look_is_one_exec_per_host_and_one_to_try_the_others_by_our_count_and_by_sshds(
    first_diff: tuple[Ran, int],
) -> None:
    ran, counted = first_diff

    assert {host["execs"] for host in ran.cluster["hosts"].values()} == {2}
    assert counted == 2


def test_after_converge_nothing_differs(cluster: Cluster, converged: Ran) -> None:
    ran = cluster.run("diff", "--json")

    assert (ran.status, ran.cluster["summary"]["pending"]) == (0, 0), ran.out
    assert converged.cluster["after"]["summary"]["pending"] == 0


@pytest.mark.usefixtures("converged")
def test_a_second_converge_runs_nothing(cluster: Cluster) -> None:
    started = cluster.started()

    ran = cluster.run("converge", "--yes", "--json")

    assert (ran.status, ran.cluster["steps"]) == (0, [])
    assert cluster.started() == started


@pytest.mark.usefixtures("converged")
def test_from_crons_environment_and_elsewhere_it_says_the_same(cluster: Cluster, tmp_path: Path) -> None:
    ran = cluster.run("drift", env=BARE, cwd=tmp_path)

    assert (ran.status, ran.out) == (0, "")


@pytest.mark.usefixtures("converged")
def test_the_execs_of_a_converge_are_bounded(cluster: Cluster) -> None:
    cluster.shell(ML[3], f"chmod 0640 {JOIN}/config.env")
    before = cluster.sessions(ML[3])

    ran = cluster.run("converge", "--yes", "--json", "--host", "ml-04")

    # Twice a look and an attempt at the others' ports, the step between them; and this question itself.
    assert ran.status == 0
    assert cluster.sessions(ML[3]) - before - 1 == 5


@pytest.mark.usefixtures("converged")
def test_ports_published_by_docker_answer_only_whom_they_should(cluster: Cluster) -> None:
    for port in (5050, 8080):
        assert cluster.reaches(NETWORK, ML[1], port)
        assert not cluster.reaches(ML[0], ML[1], port)
    assert cluster.reaches(ML[0], NETWORK, 9100)
    assert not cluster.reaches(ML[0], NETWORK, 9200)
    assert cluster.reaches(ML[0], NETWORK, 8000)


@pytest.mark.usefixtures("converged")
def test_the_kernel_holds_the_rules(cluster: Cluster) -> None:
    rules = cluster.shell(ML[0], "iptables-save")
    network = cluster.info.hosts[NETWORK]

    assert ":INPUT DROP" in rules
    assert any("5050" in line and network in line for line in rules.splitlines())


@pytest.mark.usefixtures("converged")
def test_containers_run_as_declared(cluster: Cluster) -> None:
    for host in ML:
        names = cluster.shell(host, "docker ps --format '{{.Names}}'").split()
        assert {"join-mlnode-308-1", "join-inference-1"} <= set(names)
    assert {"tmkms", "node", "api", "proxy"} <= set(
        cluster.shell(NETWORK, "docker ps --format '{{.Names}}'").split()
    )


@pytest.mark.usefixtures("converged")
def test_the_admin_api_knows_every_node(cluster: Cluster) -> None:
    nodes = json.loads(cluster.shell(NETWORK, "curl -s 127.0.0.1:9200/admin/v1/nodes"))
    by_id: dict[str, Any] = {item["node"]["id"]: item["node"] for item in nodes}

    assert set(by_id) == {"network-node", *ML}
    assert by_id[ML[0]]["host"] == cluster.info.hosts[ML[0]]
    assert by_id[ML[0]]["models"]["Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"]["args"] == [
        "--max-model-len", "240000", "--tensor-parallel-size", "4",
    ]  # fmt: skip
    assert by_id["network-node"]["host"] == "inference"


@pytest.mark.usefixtures("converged")
def test_model_files_are_the_hubs_byte_for_byte(cluster: Cluster) -> None:
    model, commit = "Qwen/Qwen3-32B-FP8", "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"
    home = f"/mnt/shared/hub/models--{model.replace('/', '--')}/snapshots/{commit}"
    hub = cluster.info.hub_url
    with urllib.request.urlopen(f"{hub}/api/models/{model}/tree/{commit}?recursive=true") as answer:  # noqa: S310 (the lab's own address)
        files = [item["path"] for item in json.load(answer) if item["type"] == "file"]
    assert "model.safetensors.index.json" in files
    for name in files:
        with urllib.request.urlopen(f"{hub}/{model}/resolve/{commit}/{name}") as answer:  # noqa: S310
            expected = hashlib.sha256(answer.read()).hexdigest()
        assert cluster.shell(ML[4], f"sha256sum < {home}/{name}").split()[0] == expected


@pytest.mark.usefixtures("converged")
def test_a_secret_is_on_its_host_only_and_nowhere_in_what_we_say(cluster: Cluster, tmp_path: Path) -> None:
    password = (cluster.info.overlay.parent / "keyring-password").read_text().strip()
    snapshot = tmp_path / "snapshot.json"
    cluster.shell(NETWORK, f"sed -i 's/^export PORT=.*/export PORT=8081/' {JOIN}/config.env")

    said = [
        cluster.run("observe", "-o", str(snapshot)),
        cluster.run("diff", "-v", "-v"),
        cluster.run("diff", "--json"),
        cluster.run("diff", "--observed", str(snapshot), "-v"),
        cluster.run("converge", "--yes", "-v", "--kind", "env-file"),
    ]

    assert password in cluster.shell(NETWORK, f"cat {JOIN}/config.env")
    assert all(password not in ran.out + ran.err for ran in said)
    assert password not in snapshot.read_text()
    assert snapshot.stat().st_mode & 0o777 == 0o600
    assert "PORT 8081 → 8080" in said[1].out
    assert password not in cluster.shell(
        NETWORK, "journalctl --no-pager -o cat; cat /var/log/*.log 2>/dev/null", check=False
    )
    assert cluster.run("converge", "--yes").status == 0


@pytest.mark.usefixtures("converged")
def test_an_old_snapshot_is_compared_without_any_host(cluster: Cluster, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot.json"
    cluster.run("observe", "-o", str(snapshot))
    before = cluster.sessions(ML[0])

    ran = cluster.run("diff", "--observed", str(snapshot), "--json")

    assert ran.status == 0, ran.out
    assert cluster.sessions(ML[0]) - before - 1 == 0


@pytest.mark.parametrize(
    "fact",
    [
        "requirements.HostConditions", "files.Files", "firewall.FirewallRules", "models.HubModels",
        "repository.Repositories", "containers.Containers", "nodes.Nodes",
    ],
)  # fmt: skip
@pytest.mark.usefixtures("converged")
def test_every_fact_is_usable_alone(cluster: Cluster, fact: str) -> None:
    import subprocess  # noqa: PLC0415 (only this test leaves our own command line)
    import sys  # noqa: PLC0415

    info = cluster.info
    words = [
        "-y", "--ssh-user", info.user, "--ssh-key", str(info.key),
        "--data", f"ssh_known_hosts_file={info.known_hosts}", "--data", "ssh_strict_host_key_checking=yes",
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pyinfra", info.hosts[NETWORK], *words, "fact", f"gonka_state.facts.{fact}"],
        capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    # pyinfra prints facts, as JSON, on stderr.
    assert "Loaded fact" in done.stderr
    assert '"' in done.stderr.split("Fact data for:", 1)[-1]


def test_the_clusters_file_is_used_unchanged() -> None:
    assert "10.77" not in CLUSTER.read_text()
