"""A cluster that serves is disturbed only in a quiet stretch of the chain; judged by what is true on the hosts."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

JOIN = "/opt/gonka/deploy/join"
CONTROL = f"{JOIN}/.dapi/lab-control.json"


@contextmanager
def _chain(cluster: Cluster, **control: object) -> Iterator[None]:
    """The chain in another state than it would be; where our own API fails, the seed node does too."""
    before = cluster.shell(NETWORK, f"cat {CONTROL} 2>/dev/null || echo '{{}}'")
    told = {**json.loads(before), **control}
    cluster.shell(NETWORK, f"cat >{CONTROL} <<'E'\n{json.dumps(told)}\nE")
    seed = cluster.info.overlay.with_name("seed.json")
    state = json.loads(seed.read_text())
    seed.write_text(json.dumps({**state, "fail": control.get("public", "")}))
    try:
        yield
    finally:
        seed.write_text(json.dumps(state))
        cluster.shell(NETWORK, f"cat >{CONTROL} <<'E'\n{before}\nE")


def _ufw(cluster: Cluster) -> str:
    return cluster.shell(ML[3], "ufw status | head -n 1").strip()


@pytest.mark.parametrize(
    ("control", "why"),
    [
        ({"phase": "PoCGenerate"}, "the chain is in PoCGenerate"),
        ({"confirmation_poc": True}, "a confirmation PoC is running"),
        ({"public": "500"}, "the phase of the chain is not known"),
    ],
)
def test_what_disturbs_waits_and_the_rest_is_closed(
    cluster: Cluster, control: dict[str, object], why: str
) -> None:
    assert cluster.run("converge", "--yes").status == 0
    cluster.shell(ML[3], "ufw --force disable")
    cluster.shell(ML[0], f"chmod 0644 {JOIN}/config.env")
    with _chain(cluster, **control):
        seen = cluster.run("diff", "--json", "--kind", "firewall")
        ran = cluster.run("converge", "--yes", "--json", "--kind", "firewall", "--kind", "env-file")

        held = {item["address"]: item["held"] for item in seen.cluster["changes"]}
        assert seen.status == 2
        assert why in held[f"{ML[3]}/firewall:ufw"], held
        assert ran.status == 6, ran.out
        assert _ufw(cluster) == "Status: inactive"
        assert cluster.shell(ML[0], f"stat -c %a {JOIN}/config.env").strip() == "600"

    assert cluster.run("converge", "--yes").status == 0
    assert _ufw(cluster) == "Status: active"


def test_the_operator_may_overrule_and_the_report_says_why(cluster: Cluster) -> None:
    assert cluster.run("converge", "--yes").status == 0
    cluster.shell(ML[3], "ufw --force disable")
    with _chain(cluster, phase="PoCGenerate"):
        ran = cluster.run("converge", "--yes", "--ignore-phase", "the firewall is down", "--kind", "firewall")

        assert ran.status == 0, ran.out + ran.err
        assert _ufw(cluster) == "Status: active"
        assert "the phase was ignored: the firewall is down" in ran.out
