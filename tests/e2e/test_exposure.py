"""A port that a container publishes although ufw denies it: found by trying, before and after a reboot."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

HOST, PORT = ML[4], 7777
PUBLISH = f"""
docker run -d --name stray --restart always -p {PORT}:{PORT} --entrypoint python3 ghcr.io/gonka-ai/mlnode:3.0.13 \
  -m http.server {PORT} >/dev/null
ufw deny {PORT}/tcp >/dev/null
"""
REMOVE = f"docker rm -f stray >/dev/null 2>&1; ufw delete deny {PORT}/tcp >/dev/null 2>&1; true"


def _named(cluster: Cluster, overlay: Path) -> list[tuple[str, bool, list[str]]]:
    """What diff says about exposures that no other step settles: address, whether a human closes it, who gets in."""
    ran = cluster.run("diff", "--overlay", str(overlay), "--json")
    return [
        (item["address"], item["human"], item["attributes"][0]["before"])
        for item in ran.cluster["changes"]
        if item["kind"] == "exposure" and not item["conditional"]
    ]


def test_a_port_published_behind_ufws_back_is_found_before_and_after_a_reboot(
    cluster: Cluster, tmp_path: Path
) -> None:
    assert cluster.run("converge", "--yes").status == 0
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(f"cluster: cluster2\nhosts: {{{HOST}: {{exposure: {{{PORT}/tcp: nobody}}}}}}\n")
    assert _named(cluster, overlay) == []
    cluster.shell(HOST, PUBLISH)
    expected = [(f"{HOST}/exposure:{PORT}/tcp", True, sorted([NETWORK, *ML[:4], "this machine"]))]
    try:
        assert f"{PORT}/tcp" in cluster.shell(HOST, "ufw status | grep DENY")
        assert cluster.reaches(ML[0], HOST, PORT), "ufw says it denies, and yet"
        assert _named(cluster, overlay) == expected

        cluster.reboot(HOST)

        assert f"{PORT}/tcp" in cluster.shell(HOST, "ufw status | grep DENY")
        assert _named(cluster, overlay) == expected
    finally:
        cluster.shell(HOST, REMOVE)
    assert cluster.run("converge", "--yes").status == 0
