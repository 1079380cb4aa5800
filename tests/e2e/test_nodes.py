"""Nodes on real hosts: both eras of the API from the same YAML, removal over two epochs, and a key that stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

DAPI = "/opt/gonka/deploy/join/.dapi"
NODE = ML[2]
_ANSWERS = "curl -fs -o /dev/null --max-time 2 http://127.0.0.1:9200/admin/v1/nodes && curl -fs -o /dev/null --max-time 2 http://127.0.0.1:8000/v1/versions"


def control(cluster: Cluster, **words: object) -> None:
    """Tell the stand-in what to be."""
    cluster.shell(NETWORK, f"printf %s '{json.dumps(words)}' > {DAPI}/lab-control.json")


def restart(cluster: Cluster) -> str:
    """The API anew; the time of the host at which it began."""
    return cluster.shell(
        NETWORK,
        f"rm -f {DAPI}/api-config.yaml; date +%s; docker restart -t 5 api >/dev/null; until {_ANSWERS}; do sleep 0.2; done",
    ).strip()


def listed(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What the API says, asked by somebody else."""
    entries = json.loads(cluster.shell(NETWORK, "curl -s http://127.0.0.1:9200/admin/v1/nodes"))
    return {entry["node"]["id"]: entry for entry in entries}


def writes(cluster: Cluster, since: str) -> list[tuple[str, str]]:
    """Every write that the API logged: method and path below nodes."""
    log = cluster.shell(
        NETWORK, f"docker logs --since {since} api 2>&1 | grep '/admin/v1/nodes' | grep -v GET || true"
    )
    words = [line.split('"')[1].split(" ") for line in log.splitlines()]
    return [(method, path.removeprefix("/admin/v1/nodes").lstrip("/")) for method, path, _ in words]


def overlay(path: Path, **node: object) -> str:
    file = path / "nodes.yaml"
    with file.open("w") as stream:
        YAML().dump({"cluster": "cluster2", "hosts": {NODE: {"node": node}}}, stream)
    return str(file)


@pytest.fixture(scope="module")
def nodes(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, whose nodes are as declared again in the end."""
    yield cluster
    control(cluster)
    restart(cluster)
    ran = cluster.run("converge", "--kind", "node", "--yes")
    assert ran.status == 0, ran.out + ran.err


def test_an_old_api_gets_the_same_nodes_and_no_id_twice(nodes: Cluster, tmp_path: Path) -> None:
    control(nodes, version="0.2.1")
    since = restart(nodes)
    first = nodes.run("converge", "--kind", "node", "--yes")
    changed = overlay(tmp_path, max_concurrent=200, enabled=False)
    second = nodes.run("converge", "--kind", "node", "--yes", "--overlay", changed)

    assert (first.status, second.status) == (0, 0), first.out + second.out
    found = writes(nodes, since)
    assert found[: len(ML)] == [("POST", "")] * len(ML)
    assert found[len(ML) :] == [("DELETE", NODE), ("POST", ""), ("POST", f"{NODE}/disable")]
    assert listed(nodes)[NODE]["node"]["max_concurrent"] == 200
    assert listed(nodes)[NODE]["state"]["admin_state"]["enabled"] is False
    ids = [node["id"] for node in json.loads(nodes.shell(NETWORK, f"cat {DAPI}/api-config.yaml"))["nodes"]]
    assert sorted(ids) == sorted({"network-node", *ML})


def test_a_node_that_takes_part_leaves_in_a_later_epoch(nodes: Cluster, tmp_path: Path) -> None:
    control(nodes, in_epoch=[NODE])
    restart(nodes)
    words = (
        "--kind",
        "node",
        "--yes",
        "--allow",
        "destructive",
        "--overlay",
        overlay(tmp_path, state="absent"),
    )
    first = nodes.run("converge", *words)
    kept = listed(nodes)[NODE]
    control(nodes, in_epoch=[NODE], epoch=kept["state"]["admin_state"]["epoch"] + 1)
    last = nodes.run("converge", *words)

    assert (first.status, last.status) == (6, 0), first.out + last.out
    assert kept["state"]["admin_state"]["enabled"] is False
    assert "not before the next epoch" in first.out
    assert NODE not in listed(nodes)


def test_the_api_s_private_key_never_leaves_its_host(cluster: Cluster, tmp_path: Path) -> None:
    config = json.loads(cluster.shell(NETWORK, "curl -s http://127.0.0.1:9200/admin/v1/config"))
    key = config["ml_node_key_config"]["worker_private"]
    snapshot = tmp_path / "snapshot.json"
    ran = cluster.run("observe", "--output", str(snapshot))

    assert ran.status == 0, ran.err
    assert key
    assert NODE in snapshot.read_text()
    assert key not in snapshot.read_text() + ran.out + ran.err
