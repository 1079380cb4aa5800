"""What a cleanup takes away and leaves, in which order, and when it waits; on six hosts that were recorded for the demo."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change, Effect
from gonka_state.core.desired import Declared
from gonka_state.core.observation import Present
from gonka_state.engine.cleanup import GOES, LOOKS, STAYS, gone, kinds_of, left
from gonka_state.engine.compare import Comparer
from gonka_state.engine.waiting import LOST_REWARD, Waiting, too_early
from gonka_state.facts import participation
from gonka_state.facts.here import Here
from gonka_state.facts.participation import Participation
from gonka_state.facts.snapshot import Answer, Snapshot
from gonka_state.registry import KINDS
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.file import FileResource
from gonka_state.resources.firewall import FirewallRuleResource
from gonka_state.resources.node import NodeResource
from tests.facts.test_participation import frames
from tests.recorded import recorded_look, recorded_wish

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.resources.base import Resource

ROOT = Path(__file__).parents[2]
NETWORK = "cluster2-network"
JOIN = "/opt/gonka/deploy/join"
KEYLESS = Answer(frames(warm="no"))


@pytest.fixture(scope="module")
def desired() -> Desired[Resource]:
    return recorded_wish()


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return recorded_look()


def planned(
    desired: Desired[Resource],
    snapshot: Snapshot,
    *,
    models: bool = False,
    allowed: Collection[str] = (),
    answer: Answer = KEYLESS,
) -> Plan:
    wish = gone(desired, models=models)
    look = snapshot.hosts[NETWORK].with_section(participation.SECTION, answer)
    comparer = Comparer(
        wish,
        kinds_of(KINDS, allowed),
        allowed=(Effect.DESTRUCTIVE.value, *allowed),
        ignore_phase="a test",
        amend=Waiting(wish, allowed).amend,
    )
    return comparer.compare(replace(snapshot, hosts={**snapshot.hosts, NETWORK: look})).plan


def test_it_is_decided_for_every_kind() -> None:
    assert GOES | STAYS.keys() | LOOKS == KINDS.keys()
    assert len(GOES) + len(STAYS) + len(LOOKS) == len(KINDS)


def test_what_was_deployed_goes_and_the_host_stays(desired: Desired[Resource], snapshot: Snapshot) -> None:
    plan = planned(desired, snapshot)

    assert {change.action for change in plan.changes} == {Action.DELETE}
    assert {change.address.kind for change in plan.changes} == GOES
    local = {change.address.local for change in plan.runnable if change.address.host == NETWORK}
    assert {
        "node:network-node", "compose-service:tmkms", "compose-service:mlnode-308", "firewall-rule:8000/tcp",
        f"env-file:{JOIN}/config.env", f"file:{JOIN}/gonka-state-override.yml",
    } <= local  # fmt: skip
    assert "firewall-rule:22/tcp" not in local


def test_it_goes_in_the_opposite_order(desired: Desired[Resource], snapshot: Snapshot) -> None:
    order = [str(change.address) for change in planned(desired, snapshot).changes]

    def at(local: str, host: str = NETWORK) -> int:
        return order.index(f"{host}/{local}")

    nodes = [place for place, address in enumerate(order) if "/node:" in address]
    services = [place for place, address in enumerate(order) if "/compose-service:" in address]
    assert max(nodes) < min(services)
    assert at("compose-service:proxy") < at("compose-service:api") < at("compose-service:node")
    assert at("compose-service:node") < at("compose-service:tmkms") < at(f"env-file:{JOIN}/config.env")
    assert at("compose-service:mlnode-308") < at(f"file:{JOIN}/gonka-state-override.yml")
    assert at("compose-service:api") < at("firewall-rule:8000/tcp")


def test_models_go_on_request_and_after_what_serves_them(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    order = [str(change.address) for change in planned(desired, snapshot, models=True).runnable]

    model = order.index(f"{NETWORK}/model:Qwen/Qwen3-32B-FP8")
    assert order.index(f"{NETWORK}/compose-service:mlnode-308") < model
    assert not [
        address for address in map(str, gone(desired, models=False).resources) if "/model:" in address
    ]


def test_what_stays_is_told_with_its_reason(desired: Desired[Resource]) -> None:
    told = {item.kind: item for item in left(desired, models=False)}

    assert ".inference, .tmkms, .dapi" in told["repository"].why
    assert (told["firewall-rule"].names, told["firewall-rule"].why) == (("22/tcp",), "lets SSH in")
    assert (told["model"].hosts, told["warm-key"].hosts) == (6, 1)
    assert not GOES - {"firewall-rule"} & told.keys()
    assert "model" not in {item.kind for item in left(desired, models=True)}


def declaring(desired: Desired[Resource], *resources: Resource) -> Desired[Resource]:
    items = [Declared(Address(NETWORK, one.kind, one.name), one) for one in resources]
    return replace(desired, resources={item.address: item for item in items})


@pytest.mark.parametrize(
    "resource",
    [
        FileResource(name=f"{JOIN}/.inference/config/app.toml", content=""),
        FileResource(name=f"{JOIN}/.tmkms/secrets/priv_validator_key.softsign", content=""),
        EnvFileResource(name=f"{JOIN}/.dapi/env", variables={"A": "b"}),
        FirewallRuleResource(port="22"),
        FirewallRuleResource(port="20:25"),
        FirewallRuleResource(port="any", protocol="any"),
        FirewallRuleResource(port="9200", action="deny"),
        FirewallRuleResource(port="53", direction="out"),
    ],
    ids=lambda resource: f"{resource.kind}:{resource.name}",
)
def test_keys_data_restrictions_and_the_way_in_stay(desired: Desired[Resource], resource: Resource) -> None:
    wish = declaring(desired, resource, ComposeServiceResource(name="a", directory=JOIN))

    assert [address.name for address in gone(wish, models=True).resources] == ["a"]
    (item,) = left(wish, models=True)
    assert item.why


def test_the_clusters_own_ssh_port_stays_open(desired: Desired[Resource]) -> None:
    logins = {host: replace(login, port=2222) for host, login in desired.hosts.items()}
    rules = FirewallRuleResource(port="2222"), FirewallRuleResource(port="2223")

    wish = gone(replace(declaring(desired, *rules), hosts=logins), models=False)

    assert [address.name for address in wish.resources] == ["2223/tcp"]


def test_a_file_goes_although_a_secret_in_it_is_not_known(desired: Desired[Resource]) -> None:
    project = ComposeServiceResource(name="a", directory="/p")
    wish = declaring(desired, FileResource(name="/p/a"), EnvFileResource(name="/p/b"), project)
    unknown = {a: replace(item, withheld="GONKA_SECRET") for a, item in wish.resources.items()}

    found = gone(replace(wish, resources=unknown), models=False).resources

    assert [item.withheld for item in found.values()][:2] == ["", "GONKA_SECRET"]


def test_files_of_the_host_stay_with_what_runs_from_them(desired: Desired[Resource]) -> None:
    project = ComposeServiceResource(name="a", directory="/p")
    units = FileResource(name="/etc/systemd/system/gonka-state-backup.timer"), FileResource(name="/pq/a")
    wish = declaring(desired, project, FileResource(name="/p/a"), *units, EnvFileResource(name="/etc/env"))

    assert {address.name for address in gone(wish, models=False).resources} == {"a", "/p/a"}
    told = {name: item.why for item in left(wish, models=False) for name in item.names}
    assert set(told) == {*(unit.name for unit in units), "/etc/env"}
    assert set(told.values()) == {
        "a setting of the host, its backup or its monitoring: in no compose project"
    }


def services(plan: Plan) -> dict[str, Change]:
    return {str(c.address): c for c in plan.changes if c.address.kind == "compose-service"}


def test_what_runs_waits_for_the_epoch_and_for_its_reward(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    plan = planned(desired, snapshot, answer=Answer(frames(nodes=["cluster2-ml-01", "stray"])))

    found = services(plan)
    assert all("takes part in epoch 5" in change.held for change in found.values())
    assert [name for name, change in found.items() if change.hint] == [f"{NETWORK}/compose-service:api"]
    assert f"--allow {LOST_REWARD}" in found[f"{NETWORK}/compose-service:api"].hint
    assert "nobody declared stray, so" in found[f"{NETWORK}/compose-service:api"].hint
    runnable = {change.address.kind for change in plan.runnable}
    assert runnable == {"node"}


def test_a_reward_that_waits_can_be_claimed_by_hand(desired: Desired[Resource], snapshot: Snapshot) -> None:
    plan = planned(desired, snapshot, answer=Answer(frames(claimed=False)))

    hint = services(plan)[f"{NETWORK}/compose-service:api"].hint
    assert "claim-reward/recover" in hint


def test_who_gives_the_reward_up_need_not_wait(desired: Desired[Resource], snapshot: Snapshot) -> None:
    answer = Answer(frames(nodes=["ml-01"]))

    plan = planned(desired, snapshot, allowed=(LOST_REWARD,), answer=answer)

    assert not [change for change in plan.pending if change.held]


def test_a_node_in_an_epoch_leaves_it_only_with_the_reward_given_up() -> None:
    node: Any = KINDS["node"]
    taking = replace(
        node,
        observe=lambda _s, _r, _h: Present({"enabled": True}, before_removal={"enabled": False}),
        refuse=lambda _s, declared, _h: dict.fromkeys(declared, "not before the next epoch"),
    )
    resource = NodeResource(name="a", host="h", inference_port=1, poc_port=2, models={"m": {}})
    address = Address("h", "node", "a")

    kept, given = (kinds_of({**KINDS, "node": taking}, allowed)["node"] for allowed in ((), (LOST_REWARD,)))

    here = Here("h", {})
    assert kept.observe(None, resource, here).before_removal == {"enabled": False}  # type: ignore[union-attr]
    assert given.observe(None, resource, here).before_removal == {}  # type: ignore[union-attr]
    assert kept.refuse(None, {address: resource}, here)
    assert not given.refuse(None, {address: resource}, here)


def test_nodes_of_an_api_that_is_gone_are_gone(desired: Desired[Resource]) -> None:
    host = NETWORK
    api, node = Address(host, "compose-service", "api"), Address(host, "node", "network-node")
    unknown = Change(node, Action.UNKNOWN, reason="the Admin API does not answer")
    amend = Waiting(replace(desired, chain=None)).amend
    empty = Snapshot("c", "2026-11-24T00:00:00+00:00", "salt", {})

    after = amend(empty, {api: Change(api, Action.NONE), node: unknown})
    before = amend(empty, {api: Change(api, Action.DELETE), node: unknown})

    assert (after[node].action, before[node].action) == (Action.NONE, Action.UNKNOWN)


PART = Participation(epoch=5, height=1000, ends=2000, claims=1200, claims_next=2200)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (PART, ""),
        (Participation("no API answers"), "nobody knows whether a reward would be lost: no API answers"),
        (replace(PART, nodes=frozenset({"a"})), "takes part in epoch 5 until block 2000, and its reward is claimed after block 2200: run this again then, about 2026-11-24 01:40 UTC"),
        (replace(PART, claimed=False), "the reward of epoch 4 is not claimed before block 1200: run this again then, about 2026-11-24 00:16 UTC"),
        (replace(PART, claimed=False, height=1300), "the reward of epoch 4 is not claimed although the API should have done it after block 1200"),
    ],
)  # fmt: skip
def test_it_is_said_how_long_to_wait(part: Participation, said: str) -> None:
    assert too_early(part, 1795478400.0) == said


def test_no_word_of_it_deletes_data() -> None:
    written = "\n".join(
        (ROOT / "gonka_state/operations" / f"{name}.py").read_text()
        for name in ("compose_removal", "model_removal", "file", "env_file", "node")
    )

    assert not re.search(r"\.(inference|tmkms|dapi)|--volumes|docker (volume|system)", written)
