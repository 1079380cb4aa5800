"""Trusting and checking real hosts, straight and through one of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster, Ran

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def hosts(cluster: Cluster, word: str, overlay: Path, *words: str) -> Ran:
    return cluster.run(f"hosts {word}", "--overlay", str(overlay), *words)


def overlay(cluster: Cluster, tmp_path: Path, **ssh: str) -> Path:
    path = tmp_path / "ssh.yaml"
    pins = tmp_path / "pins"
    path.write_text(json.dumps({"cluster": cluster.info.cluster, "ssh": {"known_hosts": str(pins), **ssh}}))
    return path


def test_hosts_are_pinned_checked_and_refused_once_a_key_changes(cluster: Cluster, tmp_path: Path) -> None:
    straight = overlay(cluster, tmp_path)
    pins = tmp_path / "pins"

    assert hosts(cluster, "check", straight).status == 1
    asked = hosts(cluster, "trust", straight)
    assert (asked.status, pins.exists()) == (6, False)
    assert hosts(cluster, "trust", straight, "--yes").status == 0
    made = {line.split()[2] for line in cluster.info.known_hosts.read_text().splitlines()}
    assert {line.split()[2] for line in pins.read_text().splitlines()} == made

    checked = hosts(cluster, "check", straight, "--json")
    assert checked.status == 0, checked.out
    assert checked.cluster["summary"]["blocked"] == 0
    assert len(checked.cluster["hosts"]) == len(cluster.info.hosts)

    lines = pins.read_text().splitlines()
    first, second = lines[0].split(), lines[1].split()
    pins.write_text("\n".join([" ".join([*first[:2], second[2]]), *lines[1:]]) + "\n")
    changed = hosts(cluster, "trust", straight, "--yes")
    assert changed.status == 6
    assert "it shows another key than the pinned one" in changed.out
    assert hosts(cluster, "check", straight).status == 3
    host = next(name for name, address in cluster.info.hosts.items() if address == first[0])
    assert hosts(cluster, "trust", straight, "--yes", "--replace", host).status == 0
    assert sorted(pins.read_text().splitlines()) == sorted(lines)


def test_one_host_is_reached_through_another(cluster: Cluster, tmp_path: Path) -> None:
    through = overlay(cluster, tmp_path, proxy_jump=NETWORK)
    count = f"journalctl -u ssh --no-pager -o cat | grep -c 'Accepted publickey .* from {cluster.info.hosts[NETWORK]} '"
    before = int(cluster.shell(ML[0], f"{count} || true"))

    assert hosts(cluster, "trust", through, "--host", ML[0], "--yes").status == 0
    checked = hosts(cluster, "check", through, "--host", ML[0], "--json")

    (connection, *rest) = checked.cluster["hosts"][ML[0]]["checks"]
    assert checked.status == 0, checked.out
    assert connection["evidence"].endswith(f"through {cluster.info.hosts[NETWORK]}")
    assert [check["name"] for check in rest].count(f"host key of {cluster.info.hosts[NETWORK]}") == 1
    assert int(cluster.shell(ML[0], f"{count} || true")) == before + 1
    diff = cluster.run("diff", "--overlay", str(through), "--host", ML[0], "--json")
    assert diff.cluster["hosts"][ML[0]]["unknown"] == ""
