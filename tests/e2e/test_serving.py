"""What the cluster is for: completions through its network node, results that come back, cards that are in use."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.world import ML, NETWORK

if TYPE_CHECKING:
    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

SMALL, BIG = "Qwen/Qwen3-32B-FP8", "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8"
RESULTS = "curl -s -m 3 -o /dev/null -w '%{{http_code}}' -X POST http://{}:9100/v2/poc-batches/m/generated"


@pytest.fixture(scope="module")
def served(cluster: Cluster) -> dict[str, Any]:
    """The first answer for each model, once the nodes have loaded them."""
    ran = cluster.run("converge", "--yes")
    assert ran.status == 0, ran.out[-2000:] + ran.err[-2000:]
    return cluster.served((SMALL, BIG), "rehearsal")


def test_the_cluster_serves_completions_of_both_models(served: dict[str, Any]) -> None:
    for model in (SMALL, BIG):
        assert (served[model]["model"], served[model]["id"]) == (model, "rehearsal")
        assert served[model]["choices"][0]["message"]["content"]
        assert served[model]["usage"]["prompt_tokens"] == 3


@pytest.mark.usefixtures("served")
def test_nobody_is_served_unnamed_and_no_other_model(cluster: Cluster) -> None:
    assert cluster.complete(SMALL) == (401, {"error": "Authorization is required"})
    assert cluster.complete("Qwen/QwQ-32B", Authorization="rehearsal")[0] == 500


@pytest.mark.usefixtures("served")
def test_a_loaded_model_holds_the_memory_of_all_cards(cluster: Cluster) -> None:
    query = "nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits"
    inside = f"docker exec $(docker ps -qf label=com.docker.compose.service=mlnode-308) {query}"
    for script in (query, inside):
        assert set(cluster.shell(ML[0], script).split()) == {"73403"}


@pytest.mark.usefixtures("served")
def test_results_come_back_from_ml_nodes_and_from_nobody_else(cluster: Cluster) -> None:
    post = RESULTS.format(cluster.info.hosts[NETWORK])
    container = "docker exec $(docker ps -qf label=com.docker.compose.service=mlnode-308)"
    for host in (NETWORK, ML[0], ML[-1]):
        assert cluster.shell(host, f"{container} {post}") == "200"
    with pytest.raises(OSError, match=r"timed out|refused"):
        urllib.request.urlopen(f"http://{cluster.info.hosts[NETWORK]}:9100/versions", timeout=3)
