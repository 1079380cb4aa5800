"""Each kind tampered with in turn: diff names exactly that, converge runs exactly its step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

JOIN = "/opt/gonka/deploy/join"
BIG = "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
BLOBS = f"/mnt/shared/hub/models--{BIG.replace('/', '--')}"
SHARD = f"$(readlink -f {BLOBS}/snapshots/*/model-00002-of-*.safetensors)"


@dataclass(frozen=True)
class Tamper:
    """What a hand does on a host, what must be named, and which containers may be started anew."""

    name: str
    host: str
    script: str
    differs: dict[str, set[str]]
    restarts: set[str] = field(default_factory=set)


TAMPERS = [
    Tamper(
        "a ufw rule is deleted",
        NETWORK,
        "ufw delete allow 443/tcp",
        {f"{NETWORK}/firewall-rule:443/tcp": set()},
    ),
    Tamper(
        "a rule is taken out of the kernel only",
        NETWORK,
        "iptables -D ufw-user-input -p tcp -m tcp --dport 443 -j ACCEPT",
        {f"{NETWORK}/firewall-rule:443/tcp": {"from"}},
    ),
    Tamper(
        "a port is opened in DOCKER-USER",
        ML[2],
        "iptables -I DOCKER-USER -p tcp -m conntrack --ctorigdstport 5050 -j ACCEPT",
        {f"{ML[2]}/container-port:5050/tcp": {"from"}},
    ),
    Tamper("ufw is switched off", ML[3], "ufw --force disable", {f"{ML[3]}/firewall:ufw": {"enabled"}}),
    Tamper(
        "a file's mode",
        ML[0],
        f"chmod 0644 {JOIN}/config.env",
        {f"{ML[0]}/env-file:{JOIN}/config.env": {"mode"}},
    ),
    Tamper(
        "a byte of a file",
        NETWORK,
        f"sed -i 's/500/501/' {JOIN}/gonka-state-node-config.json",
        {f"{NETWORK}/file:{JOIN}/gonka-state-node-config.json": {"content"}},
    ),
    Tamper(
        "a directory's mode", ML[0], "chmod 0700 /mnt/shared", {f"{ML[0]}/directory:/mnt/shared": {"mode"}}
    ),
    Tamper("a blob is removed", ML[0], f'rm "{SHARD}"', {f"{ML[0]}/model:{BIG}": {"revision"}}),
    Tamper(
        "a blob is truncated", ML[1], f'truncate -s 1000 "{SHARD}"', {f"{ML[1]}/model:{BIG}": {"revision"}}
    ),
    Tamper(
        "another commit is called main",
        ML[0],
        f"printf 0123456789012345678901234567890123456789 >{BLOBS}/refs/main",
        {f"{ML[0]}/model:{BIG}": {"ref"}},
    ),
    Tamper(
        "an image loses its name",
        NETWORK,
        "docker rmi -f ghcr.io/product-science/explorer:latest",
        {f"{NETWORK}/compose-images:{JOIN}": {"missing"}},
    ),
    Tamper(
        "a container loses cards",
        ML[4],
        "docker exec join-mlnode-308-1 sh -c 'echo 7 >/etc/gonka-state-lab/gpus'",
        {f"{ML[4]}/compose-service:mlnode-308": {"gpus"}},
        {f"{ML[4]}/join-mlnode-308-1"},
    ),
    Tamper(
        "a container is stopped",
        ML[2],
        "docker stop -t 1 join-inference-1",
        {f"{ML[2]}/compose-service:inference": {"running"}},
        {f"{ML[2]}/join-inference-1"},
    ),
    Tamper(
        "a container runs from an older image",
        ML[3],
        f"cd {JOIN} && . ./config.env && docker pull -q ghcr.io/gonka-ai/mlnode:3.0.12 >/dev/null &&"
        " printf 'services: {mlnode-308: {image: \"ghcr.io/gonka-ai/mlnode:3.0.12\"}}\\n' >/tmp/old.yml &&"
        " docker compose -f docker-compose.mlnode.yml -f /tmp/old.yml up -d --no-deps mlnode-308 2>&1",
        {f"{ML[3]}/compose-service:mlnode-308": {"image"}},
        {f"{ML[3]}/join-mlnode-308-1"},
    ),
    Tamper(
        "a node's args are changed by API",
        NETWORK,
        "curl -sf 127.0.0.1:9200/admin/v1/nodes | python3 -c '"
        'import json,sys; n=[i["node"] for i in json.load(sys.stdin) if i["node"]["id"]=="cluster2-ml-02"][0];'
        f' n["models"]["{BIG}"]["args"]=["--tensor-parallel-size","8"]; print(json.dumps(n))\''
        " | curl -sf -X PUT -H 'Content-Type: application/json' --data-binary @- 127.0.0.1:9200/admin/v1/nodes/cluster2-ml-02",
        {f"{NETWORK}/node:{ML[1]}": {"models"}},
    ),
    Tamper(
        "a node is deleted",
        NETWORK,
        f"curl -sf -X DELETE 127.0.0.1:9200/admin/v1/nodes/{ML[2]}",
        {f"{NETWORK}/node:{ML[2]}": set()},
    ),
]


@pytest.mark.parametrize("tamper", TAMPERS, ids=[tamper.name for tamper in TAMPERS])
def test_exactly_what_was_changed_is_named_and_closed(cluster: Cluster, tamper: Tamper) -> None:
    assert cluster.run("converge", "--yes").status == 0
    cluster.shell(tamper.host, tamper.script)
    started = cluster.started()

    seen = cluster.run("diff", "--json")
    closed = cluster.run("converge", "--yes", "--json")

    changes = {item["address"]: item for item in seen.cluster["changes"] if _seen(item)}
    assert (seen.status, set(changes)) == (2, set(tamper.differs)), seen.out
    for address, attributes in tamper.differs.items():
        named = {item["name"].split(".")[0] for item in changes[address]["attributes"]}
        assert attributes <= named, changes[address]
    assert closed.status == 0, closed.out + closed.err
    assert {step["address"] for step in closed.cluster["steps"]} == set(tamper.differs)
    after = cluster.started()
    moved = {name for name in started.keys() | after.keys() if started.get(name) != after.get(name)}
    assert moved == tamper.restarts
    assert cluster.run("diff").status == 0


def _seen(item: dict[str, Any]) -> bool:
    """Whether a change was seen; who gets an answer from a port is known after its rules are closed."""
    return not item["warning"] and not item["conditional"]


def test_wrong_bytes_are_found_on_request_and_fetched_again(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    cluster.shell(ML[1], f'printf X | dd of="{SHARD}" bs=1 seek=5000 conv=notrunc status=none')

    plain = cluster.run("diff")
    seen = cluster.run("diff", "--verify-models", "--json")
    closed = cluster.run("converge", "--yes", "--verify-models", "--json")

    assert plain.status == 0, plain.out
    (change,) = [item for item in seen.cluster["changes"] if _seen(item)]
    assert change["address"] == f"{ML[1]}/model:{BIG}"
    assert "wrong bytes: model-00002-of-00004.safetensors" in change["reason"]
    assert f"{ML[1]}: reading 2.4 MB of {BIG}" in seen.err
    assert closed.status == 0, closed.out + closed.err
    assert [step["address"] for step in closed.cluster["steps"]] == [change["address"]]
    assert cluster.run("diff", "--verify-models").status == 0


def test_what_nobody_declared_is_no_drift_and_is_listed(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    stray = "/mnt/shared/hub/models--some--stray/snapshots/0123456789012345678901234567890123456789"
    cluster.shell(
        ML[4],
        f"""
        docker run -d --name stray --network none --entrypoint sleep ghcr.io/gonka-ai/mlnode:3.0.13 600 >/dev/null
        mkdir -p {stray} && echo '{{}}' >{stray}/config.json
        ufw allow 7777/tcp >/dev/null
        """,
    )
    try:
        quiet = cluster.run("diff")
        listed = cluster.run("diff", "--unmanaged")
    finally:
        cluster.shell(
            ML[4],
            "docker rm -f stray >/dev/null; rm -rf /mnt/shared/hub/models--some--stray; ufw delete allow 7777/tcp >/dev/null",
        )

    assert quiet.status == 0, quiet.out
    for expected in ("stray", "some/stray", "7777"):
        assert expected in listed.out, listed.out
        assert expected not in quiet.out
