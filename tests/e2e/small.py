"""A cluster of one network and one ML host: up in minutes, and nobody's but its module's."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gonka_state import lab
from tests.e2e.world import ROOT, Cluster

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME, SUBNET = "small", "10.82.0.0/24"
NETWORK, ML = "small-network", "small-ml-01"
MODEL = "Qwen/Qwen3-32B-FP8"
JOIN = "/opt/gonka/deploy/join"
_FILE = f"""
extends: {ROOT}/desired/shared.yaml
cluster: {NAME}
network:
  public_host: {{env: NOT_SET}}
  account: {{pubkey: {{env: NOT_SET}}, key_name: gonka-account-key-small}}
  ml_key_name: gonka-ml-key
  keyring_password: {{env: NOT_SET}}
hosts:
  {NETWORK}: {{address: 192.0.2.1, role: network, model: {MODEL}}}
  {ML}: {{address: 192.0.2.2, role: ml, model: {MODEL}}}
"""


@contextmanager
def booted(home: Path) -> Iterator[Cluster]:
    """The hosts, from bare to converged; those that run already are used as they are, and kept."""
    file = home / "small.yaml"
    file.write_text(_FILE)
    if any(host.up for host in lab.status() if host.cluster == NAME):
        cluster = Cluster(lab.info(NAME), file)
        converged(cluster)
        yield cluster
        return
    _lab("up", str(file), "--subnet", SUBNET)
    try:
        cluster = Cluster(lab.info(NAME), file)
        converged(cluster, "--allow", "warm-key", "--allow", "registration", status=6)
        cluster.grant()
        converged(cluster)
        yield cluster
    finally:
        _lab("down", NAME)


def converged(cluster: Cluster, *words: str, status: int = 0) -> None:
    """One converge, which ends as it should."""
    ran = cluster.run("converge", "--yes", *words)
    assert ran.status == status, ran.out[-4000:] + ran.err[-2000:]


def _lab(*words: str) -> None:
    argv = [sys.executable, "-m", "gonka_state", "lab", *words]
    done = subprocess.run(argv, check=False, cwd=ROOT, timeout=900, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def chain(cluster: Cluster, **control: object) -> None:
    """Tell the API's stand-in what the chain is doing; nothing for what it does by itself."""
    cluster.shell(NETWORK, f"cat >{JOIN}/.dapi/lab-control.json <<'E'\n{json.dumps(control)}\nE")


def reward(cluster: Cluster, epoch: int, **summary: object) -> None:
    """Write into the chain what the cluster has earned in an epoch."""
    path = cluster.info.seed_state
    state = json.loads(path.read_text())
    (address,) = state["participants"]
    state["summaries"] = {f"{epoch}/{address}": summary}
    part = path.with_suffix(".part")
    part.write_text(json.dumps(state))
    part.replace(path)


def nodes(cluster: Cluster) -> dict[str, bool]:
    """The registered nodes by id, and whether each is enabled, as the Admin API says."""
    entries: list[dict[str, Any]] = json.loads(
        cluster.shell(NETWORK, "curl -s http://127.0.0.1:9200/admin/v1/nodes") or "[]"
    )
    return {entry["node"]["id"]: entry["state"]["admin_state"]["enabled"] for entry in entries}


def stored(cluster: Cluster) -> list[str]:
    """The nodes in the API's own database, whether or not it runs."""
    script = "import json, sqlite3; print(sqlite3.connect('file:gonka.db?mode=ro', uri=True).execute(\"SELECT value FROM kv WHERE key='nodes'\").fetchone()[0])"
    kept = json.loads(cluster.shell(NETWORK, f"cd {JOIN}/.dapi && python3 -c {json.dumps(script)}"))
    return sorted(node["id"] for node in kept)
