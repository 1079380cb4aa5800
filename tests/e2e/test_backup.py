"""A network host loses its disk: its keys come back from a repository on another host, and none signs twice.

Two hosts: one network host, and one that only keeps the repository, reached by SFTP.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gonka_state import lab
from gonka_state.lab.paths import LabPaths
from tests.e2e.world import ROOT, Cluster, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1500)]

NAME, SUBNET, STORE_ADDRESS = "kept", "10.83.0.0/24", "10.83.0.12"
NETWORK, STORE = "kept-network", "kept-store"
JOIN = "/opt/gonka/deploy/join"
KEY = f"{JOIN}/.tmkms/secrets/priv_validator_key.softsign"
STATE = f"{JOIN}/.tmkms/state/priv_validator_state.json"
STATUS = "/var/lib/gonka-state/backup/status.json"
ALLOWED = ["--allow", "warm-key", "--allow", "registration"]
PASSWORD = "the password of a repository"  # noqa: S105 (of this test alone)
CLUSTER = f"""
extends: {ROOT}/desired/shared.yaml
cluster: {NAME}
network:
  public_host: {{env: NOT_SET}}
  account: {{pubkey: {{env: NOT_SET}}, key_name: gonka-account-key-kept}}
  ml_key_name: gonka-ml-key
  keyring_password: {{env: NOT_SET}}
backup:
  repository: sftp:ubuntu@{STORE_ADDRESS}:/home/ubuntu/restic
  password: {{file: password}}
  ssh_key: {{file: {LabPaths(NAME).key}}}
  known_hosts: {{file: {LabPaths(NAME).known_hosts}}}
roles: {{store: {{packages: [git]}}}}
hosts:
  {NETWORK}: {{address: 192.0.2.1, role: network, model: Qwen/Qwen3-32B-FP8}}
  {STORE}: {{address: 192.0.2.2, role: store}}
"""
IDENTITY = f"""
cat {JOIN}/.inference/config/node_key.json
sha256sum {JOIN}/.inference/keyring-file/* | sort
"""


@dataclass
class Kept:
    """The cluster, and who it was before its disk was lost."""

    cluster: Cluster
    identity: str
    consensus: str
    worker: str
    nodes: list[dict[str, object]]

    def run(self, command: str, *words: str) -> Ran:
        """One `gonka-state` command on this cluster."""
        return self.cluster.run(command, *words)

    def shell(self, script: str, *, check: bool = True) -> str:
        """Another shell on the network host."""
        return self.cluster.shell(NETWORK, script, check=check)

    def chain_log(self) -> str:
        """Every signature that the stand-in chain has seen."""
        return (self.cluster.info.overlay.parent / "logs" / "seed.log").read_text()


def _nodes(cluster: Cluster) -> list[dict[str, object]]:
    said = json.loads(cluster.shell(NETWORK, "curl -sf 127.0.0.1:9200/admin/v1/nodes"))
    return sorted(
        ({key: value for key, value in item["node"].items() if key != "hardware"} for item in said),
        key=lambda node: str(node["id"]),
    )


def _worker(cluster: Cluster) -> str:
    """A digest of the key that only the node database has."""
    config = "curl -sf 127.0.0.1:9200/admin/v1/config"
    return cluster.shell(NETWORK, f'{config} | grep -o \'"worker_private": *"[^"]*\' | sha256sum')


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """The cluster in sync, with its first snapshot taken."""
    home = tmp_path_factory.mktemp("kept")
    file = home / f"{NAME}.yaml"
    file.write_text(CLUSTER)
    (home / "password").write_text(f"{PASSWORD}\n")
    program = [sys.executable, "-m", "gonka_state", "lab"]
    try:
        up = [*program, "up", str(file), "--subnet", SUBNET]
        subprocess.run(up, check=True, cwd=ROOT, timeout=600, capture_output=True)
        cluster = Cluster(lab.info(NAME), file)
        ran = cluster.run("converge", "--yes", *ALLOWED)
        assert ran.status == 6, ran.out + ran.err
        cluster.grant()
        ran = cluster.run("converge", "--yes")
        assert ran.status == 0, ran.out + ran.err
        identity = cluster.shell(NETWORK, IDENTITY)
        yield Kept(cluster, identity, cluster.shell(NETWORK, f"cat {KEY}"), _worker(cluster), _nodes(cluster))
    finally:
        subprocess.run([*program, "down", NAME], check=True, cwd=ROOT, timeout=300, capture_output=True)


def test_a_converge_ends_with_a_snapshot_on_the_other_host(kept: Kept) -> None:
    listed = kept.run("backup list", "--json")
    snapshots = kept.cluster.shell(STORE, "ls /home/ubuntu/restic/snapshots").split()
    status = json.loads(kept.shell(f"cat {STATUS}"))

    assert listed.status == 0, listed.err
    assert [item["id"] for item in listed.document["snapshots"]] == [name[:8] for name in snapshots]
    assert status["keys"] == ["keyring", "node-key", "consensus-key"]
    assert kept.shell("systemctl is-enabled gonka-state-backup.timer").strip() == "enabled"
    assert kept.run("diff").status == 0


def test_what_is_stale_is_drift_and_closed_by_a_backup(kept: Kept) -> None:
    kept.shell(
        f'sed -i \'s/"time": .*/"time": 1700000000,/\' {STATUS}; systemctl disable --quiet --now gonka-state-backup.timer'
    )

    seen = kept.run("diff", "--json")
    verified = kept.run("verify", "--json")
    closed = kept.run("converge", "--yes", "--json")

    (change,) = [item for item in seen.cluster["changes"] if not item["warning"]]
    assert (seen.status, change["address"]) == (2, f"{NETWORK}/backup:{NAME}")
    assert {item["name"] for item in change["attributes"]} == {"fresh", "scheduled"}
    checks = {check["name"]: check["verdict"] for check in verified.cluster["hosts"][NETWORK]["checks"]}
    assert checks["backup"] == "failed"
    assert closed.status == 0, closed.out + closed.err
    assert kept.shell("systemctl is-active gonka-state-backup.timer").strip() == "active"
    assert len(kept.cluster.shell(STORE, "ls /home/ubuntu/restic/snapshots").split()) == 2


def test_a_backup_now_has_the_node_database(kept: Kept) -> None:
    kept.shell(f"for i in $(seq 90); do [ -e {JOIN}/.dapi/gonka.db ] && exit 0; sleep 1; done; exit 1")

    ran = kept.run("backup now")

    assert (ran.status, f"{NETWORK}: snapshot " in ran.err) == (0, True), ran.err
    assert kept.shell("ls /var/lib/gonka-state/backup/staged") == ""


def test_a_snapshot_that_the_repository_does_not_list_is_red(kept: Kept) -> None:
    snapshots = "/home/ubuntu/restic/snapshots"
    kept.cluster.shell(
        STORE, f"mv {snapshots} {snapshots}.away; mkdir {snapshots}; chown ubuntu: {snapshots}"
    )
    try:
        quiet, verified = kept.run("diff"), kept.run("verify", "--json")
    finally:
        kept.cluster.shell(STORE, f"rmdir {snapshots}; mv {snapshots}.away {snapshots}")

    checks = {check["name"]: check for check in verified.cluster["hosts"][NETWORK]["checks"]}
    assert quiet.status == 0, "a look does not ask the repository"
    assert [name for name, check in checks.items() if check["verdict"] == "failed"] == ["backup repository"]


def test_nothing_is_restored_over_keys_that_live(kept: Kept) -> None:
    before = kept.shell(f"{IDENTITY} cat {KEY}; docker ps -q --no-trunc | sort")

    ran = kept.run("backup restore", "--yes", "--allow", "consensus-key")

    assert ran.status == 6, ran.out + ran.err
    assert kept.shell(f"{IDENTITY} cat {KEY}; docker ps -q --no-trunc | sort") == before


def test_a_lost_host_makes_no_keys_while_the_backup_has_them(kept: Kept) -> None:
    early = kept.run("backup restore", "--yes")
    lab.replace(NETWORK, cluster=NAME, say=lambda _: None)
    bare = kept.run("backup restore", "--yes")

    ran = kept.run("converge", "--yes", *ALLOWED)

    assert early.status == 6
    assert (bare.status, "is not set up for backups yet" in bare.err) == (1, True), bare.err
    assert ran.status == 6, ran.out + ran.err
    assert "gonka-state backup restore" in ran.out
    assert kept.shell(f"ls {JOIN}/.inference {JOIN}/.tmkms {JOIN}/.dapi 2>/dev/null", check=False) == ""
    made = kept.shell("docker ps -a --format '{{.Label \"com.docker.compose.service\"}}'").split()
    assert set(made) & {"tmkms", "node", "api"} == set()


def test_the_consensus_key_stays_away_while_the_chain_sees_its_signer(kept: Kept) -> None:
    ran = kept.run("backup restore", "--yes", "--allow", "consensus-key")
    if ran.status == 0:
        pytest.skip("more blocks have passed than are looked at")

    assert (ran.status, "a signer with this consensus key is alive" in ran.err) == (6, True), ran.err
    assert kept.shell(f"ls {JOIN}/.inference {JOIN}/.tmkms 2>/dev/null", check=False) == ""


def test_everything_comes_back_and_no_block_is_signed_twice(kept: Kept) -> None:
    deadline = time.monotonic() + 240
    while (ran := kept.run("backup restore", "--yes", "--allow", "consensus-key")).status == 6:
        assert time.monotonic() < deadline, ran.err
        time.sleep(5)
    restored = json.loads(kept.shell(f"cat {STATE}"))
    newest = int(_heights(kept.chain_log())[-1])

    done = kept.run("converge", "--yes", *ALLOWED)

    assert ran.status == 0, ran.out + ran.err
    assert int(restored["height"]) > newest, "a state beyond every signature that the chain has seen"
    assert done.status == 0, done.out + done.err
    assert kept.shell(IDENTITY) == kept.identity
    assert kept.shell(f"cat {KEY}") == kept.consensus
    assert _worker(kept.cluster) == kept.worker
    assert _nodes(kept.cluster) == kept.nodes
    assert kept.run("diff").status == 0


def test_the_chain_saw_one_signer_at_a_time(kept: Kept) -> None:
    deadline, before = time.monotonic() + 120, _heights(kept.chain_log())
    while len(heights := _heights(kept.chain_log())) == len(before):
        assert time.monotonic() < deadline, "the signer does not sign again"
        time.sleep(2)

    assert "DOUBLE SIGN" not in kept.chain_log()
    assert len(set(heights)) == len(heights)


def test_without_consent_the_consensus_key_stays_in_the_backup(kept: Kept) -> None:
    lab.replace(NETWORK, cluster=NAME, say=lambda _: None)
    kinds = [word for kind in ("package", "directory", "repository", "file") for word in ("--kind", kind)]
    kept.run("converge", "--yes", *kinds)

    ran = kept.run("backup restore", "--yes")
    again = kept.run("backup restore", "--yes")
    seen = kept.run("diff", "--kind", "restored-keys")

    assert ran.status == 0, ran.out + ran.err
    assert "stays in the backup: tmkms makes a new one" in ran.out
    assert kept.shell(IDENTITY) == kept.identity
    assert kept.shell(f"ls {JOIN}/.tmkms 2>/dev/null", check=False) == ""
    assert (again.status, "nothing is missing here" in again.err) == (0, True), again.err
    assert seen.status == 0, seen.out


def test_no_secret_of_the_repository_was_left_or_told(kept: Kept) -> None:
    said = kept.run("diff", "-vvv").out + kept.run("observe").out
    found = kept.shell(
        f"grep -rslIF -- '{PASSWORD}' /etc /opt /root /run /tmp /var/lib/gonka-state /var/log", check=False
    )

    assert PASSWORD not in said
    assert found.split() == ["/opt/gonka-state/backup/environment"]


def _heights(log: str) -> list[str]:
    """The blocks that were signed, as the chain's log has them."""
    return [line.split()[1] for line in log.splitlines() if line.startswith("signed ")]
