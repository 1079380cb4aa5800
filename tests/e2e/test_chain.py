"""The chain's side of a running cluster: what the account key has to do is named, and nothing waits that need not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.world import NETWORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.world import Cluster

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

KINDS = ("--kind", "registration", "--kind", "grants")


@contextmanager
def state(cluster: Cluster) -> Iterator[dict[str, Any]]:
    """The chain's state, to be changed by hand; as it was, afterwards."""
    path = cluster.info.seed_state
    before = path.read_text()
    value = json.loads(before)

    def put(text: str) -> None:
        part = path.with_suffix(".part")
        part.write_text(text)
        part.replace(path)

    value["put"] = lambda: put(json.dumps({key: item for key, item in value.items() if key != "put"}))
    try:
        yield value
    finally:
        put(before)


def seen(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """What diff says about registration and grants, by kind."""
    ran = cluster.run("diff", "--json", *KINDS)
    return {item["kind"]: item for item in ran.cluster["changes"]}


def test_grants_that_end_soon_are_named_with_the_command_that_renews_them(cluster: Cluster) -> None:
    assert seen(cluster) == {}
    with state(cluster) as chain:
        for grant in chain["grants"]:
            grant["expiration"] = "2026-12-20T08:00:00.000000000Z"
        chain["put"]()
        (found,) = seen(cluster).values()

    assert (found["kind"], found["human"]) == ("grants", True)
    assert (
        "inferenced tx inference grant-ml-ops-permissions gonka-account-key-cluster2 gonka1" in found["hint"]
    )
    assert seen(cluster) == {}


def test_a_stopped_api_starts_although_nobody_knows_of_its_registration(cluster: Cluster) -> None:
    with state(cluster) as chain:
        chain["fail"] = "500"
        chain["grants"] = []
        chain["put"]()
        cluster.shell(NETWORK, "docker stop -t 1 api >/dev/null")
        ran = cluster.run("converge", "--yes", "--json", "--kind", "compose-service")

    assert [step["address"] for step in ran.cluster["steps"]] == [f"{NETWORK}/compose-service:api"], ran.out
    assert cluster.shell(NETWORK, "docker inspect -f '{{.State.Status}}' api").strip() == "running"


def test_another_registered_url_is_for_the_account_key_alone(cluster: Cluster) -> None:
    with state(cluster) as chain:
        for participant in chain["participants"].values():
            participant["url"] = "http://198.51.100.7:8000"
        chain["put"]()
        ran = cluster.run("converge", "--yes", "--json", "--allow", "registration", "--kind", "registration")

    (found,) = [item for item in ran.cluster["after"]["changes"] if item["kind"] == "registration"]
    assert (ran.status, ran.cluster["steps"], found["human"]) == (6, [], True)
    assert "submit-new-participant" in found["hint"]
