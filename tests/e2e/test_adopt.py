"""Hosts as the Ansible project leaves them: adopted, compared, brought to the declared state; nothing else touched."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from gonka_state import lab
from tests.e2e.world import ROOT, Cluster, Ran

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

NET, ML = "old-network", "old-ml-01"
JOIN = "/opt/gonka-repo/deploy/join"
PASSWORD = "Hidden-in-plain-sight-7"  # noqa: S105  (nobody's)
PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
BIG = {
    "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8": {
        "args": ["--max-model-len", "240000", "--tensor-parallel-size", "4"]
    }
}
SMALL: dict[str, Any] = {"Qwen/Qwen3-32B-FP8": {"args": []}}


@pytest.fixture(scope="module")
def old() -> Iterator[Cluster]:
    """Two hosts, set up by tests/e2e/by_ansible.sh; the ML node registered with the model that its index gives."""
    spec = lab.LabSpec("adopted", "ubuntu", (lab.LabHost(NET, "network"), lab.LabHost(ML, "ml")), {})
    info = lab.up(spec, subnet="10.193.88.0/24", say=lambda _line: None)
    try:
        cluster = Cluster(info)
        script = (Path(__file__).parent / "by_ansible.sh").read_text()
        jobs = [
            subprocess.Popen(
                [
                    *info.ssh(name),
                    f"sudo -n sh -s {role} {info.hosts[NET]} {info.hosts[name]} {info.git_url} {PUBKEY} {PASSWORD}",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            for name, role in ((NET, "network"), (ML, "ml"))
        ]
        for job in jobs:
            assert job.stdin is not None
            job.stdin.write(script)
            job.stdin.close()
        assert [job.wait(timeout=300) for job in jobs] == [0, 0]
        node = {
            "id": ML,
            "host": info.hosts[ML],
            "inference_port": 5050,
            "poc_port": 8080,
            "max_concurrent": 500,
            "models": BIG,
        }
        cluster.shell(
            NET,
            f"curl -s --fail-with-body -H content-type:application/json -d '{json.dumps(node)}' 127.0.0.1:9200/admin/v1/nodes >&2",
        )
        yield cluster
    finally:
        lab.down("adopted", say=lambda _line: None)


def run(*words: str) -> Ran:
    done = subprocess.run(
        ["env", f"GONKA_KEYRING_PASSWORD_OLD={PASSWORD}", str(ROOT / ".venv/bin/gonka-state"), *words],
        capture_output=True, text=True, timeout=400, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert PASSWORD not in done.stdout + done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def differs(seen: Ran) -> dict[str, set[str]]:
    """What a plan names, attribute by attribute."""
    return {
        change["address"]: {item["name"].partition(".")[2] or item["name"] for item in change["attributes"]}
        for change in seen.cluster["changes"]
        if change["attributes"]
    }


def untouched(old: Cluster) -> dict[str, str]:
    """What nobody declared."""
    return {
        "container": old.shell(NET, "docker inspect -f '{{.Id}} {{.State.Status}}' somebodys-own"),
        "keys": old.shell(ML, "cat ~ubuntu/.ssh/authorized_keys"),
        "variables": old.shell(NET, f"grep -E '^#|^$|GRAFANA|TM_HOME|COMPOSE' {JOIN}/config.env"),
        "models": old.shell(NET, "ls -lR /mnt/shared"),
        "signer": old.shell(NET, f"cd {JOIN}; ls -R .tmkms; cat .inference/keyring-file/*.info"),
    }


def test_from_what_they_left_to_what_is_declared(old: Cluster, tmp_path: Path) -> None:
    before, sessions = untouched(old), old.sessions(ML)
    login = ("--user", "ubuntu", "--key", str(old.info.key), "--known-hosts", str(old.info.known_hosts))
    adopted = run(
        "adopt", "--cluster", "old", *login, *(f"{name}={at}" for name, at in old.info.hosts.items())
    )
    assert adopted.status == 0, adopted.err
    assert old.sessions(ML) - sessions == 2  # the look, and our own question
    file = tmp_path / "old.yaml"
    file.write_text(adopted.out)

    seen = settled(str(file))

    assert differs(seen) == FINDINGS
    listed = {item["name"] for item in seen.cluster["unmanaged"]}
    assert any(item["kind"] == "authorized-keys" for item in seen.cluster["unmanaged"])
    assert {"somebodys-own", f"{JOIN}/config.env GRAFANA_ADMIN_PASSWORD"} <= listed

    edit(file, old.info.hosts[NET])
    closed = run("converge", str(file), "--yes", "--allow", "destructive")
    assert closed.status == 0, closed.out + closed.err
    assert run("diff", str(file)).status == 0
    judge(old)
    assert untouched(old) == before


FINDINGS = {
    f"{NET}/container-port:5050/tcp": {"persistent"},
    f"{NET}/container-port:8080/tcp": {"persistent"},
    f"{NET}/container-port:9100/tcp": {"from", "persistent"},
    f"{NET}/env-file:{JOIN}/config.env": {"mode"},
    f"{NET}/docker-daemon:daemon.json": {"iptables"},
    f"{ML}/docker-daemon:daemon.json": {"iptables"},
    f"{ML}/container-port:5050/tcp": {"persistent"},
    f"{ML}/container-port:8080/tcp": {"persistent"},
    f"{ML}/env-file:{JOIN}/config.env": {"mode", "KEYRING_PASSWORD"},
}


def settled(file: str) -> Ran:
    """A diff, once the containers have run long enough to be called healthy."""
    deadline = time.monotonic() + 40
    while True:
        seen = run("diff", "--json", file)
        if time.monotonic() > deadline or ("its healthcheck" not in seen.out and " s only" not in seen.out):
            return seen
        time.sleep(1)


def edit(file: Path, network: str) -> None:
    """What an operator would: the callback that ML hosts can reach, and the model this node should have."""
    yaml = YAML()
    words: Any = yaml.load(file)
    (env,) = words["roles"]["network"]["env_files"].values()
    env["variables"]["DAPI_API__POC_CALLBACK_URL"] = f"http://{network}:9100"
    (node,) = [item for item in words["hosts"][NET]["resources"] if item["name"] == ML]
    node["models"] = SMALL
    yaml.dump(words, file)


def judge(old: Cluster) -> None:
    """On the hosts themselves."""
    for host in (NET, ML):
        assert old.shell(host, f"stat -c %a {JOIN}/config.env*").split()[:2] == ["600", "600"]
        assert '"iptables": true' in old.shell(host, "cat /etc/docker/daemon.json")
    assert old.shell(ML, f"grep -rl {PASSWORD} {JOIN} || true") == ""
    assert old.reaches(ML, NET, 9100)
    nodes = json.loads(old.shell(NET, "curl -s 127.0.0.1:9200/admin/v1/nodes"))
    assert {item["node"]["id"]: item["node"]["models"] for item in nodes} == {"node1": SMALL, ML: SMALL}
    assert f"DAPI_API__POC_CALLBACK_URL=http://{old.info.hosts[NET]}:9100" in old.shell(
        NET, "docker inspect -f '{{.Config.Env}}' api"
    )
