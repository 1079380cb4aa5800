"""Hosts that are off, refuse, lie or hang: unknown with its reason, and the others go on."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from gonka_state import lab
from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

JOIN = "/opt/gonka/deploy/join"


@pytest.fixture(autouse=True)
def in_sync(cluster: Cluster) -> None:
    """Every bad day begins as a good one, whatever the one before left behind."""
    ran = cluster.run("converge", "--yes")
    assert ran.status == 0, ran.out + ran.err


def second_overlay(path: Path, words: dict[str, object]) -> Path:
    overlay = path / "second.yaml"
    with overlay.open("w") as file:
        YAML().dump({"cluster": "cluster2", **words}, file)
    return overlay


def wait_for_ssh(cluster: Cluster, host: str) -> None:
    for _ in range(60):
        done = subprocess.run(
            [*cluster.info.ssh(host), "systemctl is-active docker"], capture_output=True, check=False
        )
        if done.returncode == 0:
            return
        time.sleep(1)
    raise AssertionError(f"{host} did not come back")


def test_a_host_that_is_off_hides_nothing_else(cluster: Cluster) -> None:
    lab.power_off(ML[4])
    cluster.shell(ML[0], f"chmod 0644 {JOIN}/config.env")
    try:
        seen = cluster.run("diff", "--json")
        closed = cluster.run("converge", "--yes", "--json")
    finally:
        lab.power_on(ML[4])
        wait_for_ssh(cluster, ML[4])

    hosts = seen.cluster["hosts"]
    assert (seen.status, closed.status) == (3, 3)
    assert [name for name, host in hosts.items() if host["unknown"]] == [ML[4]]
    assert "no answer" in hosts[ML[4]]["unknown"]
    assert [step["address"] for step in closed.cluster["steps"]] == [f"{ML[0]}/env-file:{JOIN}/config.env"]
    assert [step["status"] for step in closed.cluster["steps"]] == ["changed"]


def test_docker_stopped_makes_its_containers_unknown_and_nothing_more(cluster: Cluster) -> None:
    cluster.shell(ML[1], "systemctl stop docker.socket docker.service")
    try:
        ran = cluster.run("diff", "--json")
    finally:
        cluster.shell(ML[1], "systemctl start docker.socket docker.service")

    unknown = {item["address"] for item in ran.cluster["changes"] if item["action"] == "unknown"}
    assert {f"{ML[1]}/compose-service:mlnode-308", f"{ML[1]}/compose-service:inference"} <= unknown
    assert all(address.startswith(f"{ML[1]}/") for address in unknown)
    assert "docker" in str([item["hint"] for item in ran.cluster["changes"] if item["action"] == "unknown"])
    for _ in range(30):
        if cluster.run("diff").status == 0:
            break
        time.sleep(1)


def test_sudo_refused(cluster: Cluster) -> None:
    # Without sudo nobody can undo it from outside: the host does when the login user says so, or by itself.
    cluster.shell(
        ML[2],
        "mv /etc/sudoers.d /etc/sudoers.d.away; (timeout 300 sh -c 'until [ -e /tmp/enough ]; do sleep 0.2; done';"
        " rm -f /tmp/enough; mv /etc/sudoers.d.away /etc/sudoers.d) >/dev/null 2>&1 &",
    )
    try:
        ran = cluster.run("diff", "--json")
    finally:
        enough = "touch /tmp/enough; until sudo -n true 2>/dev/null; do sleep 0.2; done"
        subprocess.run([*cluster.info.ssh(ML[2]), enough], check=True, timeout=400)

    changes = ran.cluster["changes"]
    assert ran.status == 3
    assert {item["host"] for item in changes if item["action"] == "unknown"} == {ML[2]}
    assert any("sudo" in item["reason"] for item in changes)


def test_a_wrong_key_and_a_changed_host_key(cluster: Cluster, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(stranger)], check=True)
    wrong = cluster.run("diff", "--overlay", str(second_overlay(tmp_path, {"ssh": {"key": str(stranger)}})))
    # Another host's key in ml-01's place.
    lines = cluster.info.known_hosts.read_text().splitlines()
    first, second = cluster.info.hosts[ML[0]], cluster.info.hosts[ML[1]]
    key = next(line.split(" ", 1)[1] for line in lines if line.startswith(second))
    changed = tmp_path / "known_hosts"
    changed.write_text(
        "".join(f"{first} {key}\n" if line.startswith(first) else f"{line}\n" for line in lines)
    )
    lied = cluster.run(
        "diff", "--json", "--overlay", str(second_overlay(tmp_path, {"ssh": {"known_hosts": str(changed)}}))
    )

    assert wrong.status == 1
    assert "refuses the key" in wrong.out
    unknown = {name: host["unknown"] for name, host in lied.cluster["hosts"].items() if host["unknown"]}
    assert lied.status == 3
    assert set(unknown) == {ML[0]}
    assert "host key" in unknown[ML[0]]


@pytest.mark.parametrize(
    ("way", "script"),
    [
        (
            "500",
            'b\'HTTP/1.0 500 Internal Server Error\\r\\nContent-Type: application/json\\r\\n\\r\\n{"error":"chain is down"}\'',
        ),
        ("garbage", "b'HTTP/1.0 200 OK\\r\\n\\r\\n<html>not json'"),
        ("hanging", "None"),
    ],
)
def test_an_admin_api_that_misbehaves_is_unknown(cluster: Cluster, way: str, script: str) -> None:
    server = (
        "import socket,time\\n"
        "s=socket.socket(); s.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); s.bind(('127.0.0.1',9200)); s.listen(16)\\n"
        f"answer={script}\\nend=time.time()+25\\ns.settimeout(25)\\n"
        "while time.time()<end:\\n c,_=s.accept(); c.settimeout(5)\\n"
        " if answer: c.recv(65536); c.sendall(answer); c.close()\\n"
    ).replace('"', '\\"')
    cluster.shell(
        NETWORK,
        f'docker stop -t 1 api >/dev/null; printf "{server}" >/tmp/liar.py;'
        " nohup python3 /tmp/liar.py >/dev/null 2>&1 </dev/null & sleep 1",
    )
    try:
        ran = cluster.run("diff", "--json", "--kind", "node")
    finally:
        cluster.shell(
            NETWORK, "pkill -f /tmp/liar.py; rm -f /tmp/liar.py; docker start api >/dev/null", check=False
        )

    assert ran.status == 3, (way, ran.out)
    assert {item["action"] for item in ran.cluster["changes"]} == {"unknown"}


def test_a_failed_step_stops_only_what_needs_it_and_the_next_run_continues(cluster: Cluster) -> None:
    cluster.shell(
        ML[0],
        f"sed -i 's/^export PORT=.*/export PORT=8081/' {JOIN}/config.env;"
        f" mount --bind {JOIN} {JOIN} && mount -o remount,ro,bind {JOIN}",
    )
    cluster.shell(ML[1], f"chmod 0644 {JOIN}/config.env")
    try:
        ran = cluster.run("converge", "--yes", "--json")
    finally:
        cluster.shell(ML[0], f"umount {JOIN}")

    steps = {step["address"]: step for step in ran.cluster["steps"]}
    assert ran.status == 5
    assert steps[f"{ML[0]}/env-file:{JOIN}/config.env"]["status"] == "failed"
    assert "Read-only file system" in steps[f"{ML[0]}/env-file:{JOIN}/config.env"]["detail"]
    assert steps[f"{ML[0]}/compose-service:inference"]["status"] == "skipped"
    assert steps[f"{ML[1]}/env-file:{JOIN}/config.env"]["status"] == "changed"
    assert cluster.run("converge", "--yes").status == 0
    assert "PORT=8080" in cluster.shell(ML[0], f"cat {JOIN}/config.env")


def test_two_converges_at_once(cluster: Cluster) -> None:
    lock = "/run/gonka-state/cluster2.lock"
    holder = subprocess.Popen(
        [*cluster.info.ssh(NETWORK), f"sudo -n flock {lock} sleep 300.5"], stdin=subprocess.DEVNULL
    )
    try:
        cluster.shell(NETWORK, f"while flock -n {lock} true; do sleep 0.2; done")
        cluster.shell(ML[0], f"chmod 0644 {JOIN}/config.env")
        refused = cluster.run("converge", "--yes")
        seen = cluster.run("diff")
    finally:
        holder.terminate()
        holder.wait()
        cluster.shell(NETWORK, f"pkill -f '^sleep 300[.]5'; flock {lock} true")

    assert refused.status == 6
    assert "is being converged by" in refused.err
    assert seen.status == 2


def test_no_terminal_and_no_yes(cluster: Cluster) -> None:
    cluster.shell(ML[0], f"chmod 0644 {JOIN}/config.env")

    ran = cluster.run("converge")

    assert ran.status == 6
    assert "--yes" in ran.err
    assert "644" in cluster.shell(ML[0], f"stat -c %a {JOIN}/config.env")
