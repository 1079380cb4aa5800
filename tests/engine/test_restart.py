"""Which services restart, in which order, and what makes one count as restarted; on six hosts that were recorded."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Effect
from gonka_state.core.order import in_order
from gonka_state.engine.compare import Comparer
from gonka_state.engine.restart import enabled, of_service, rolling
from gonka_state.engine.select import select
from gonka_state.errors import InputError
from gonka_state.facts.snapshot import Answer, HostLook, Snapshot
from gonka_state.registry import KINDS
from tests.recorded import recorded_look, recorded_wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

NETWORK = "cluster2-network"
STOPPED = "cluster2-ml-03"
"""Where the recorded look found the container of `inference` stopped."""
MEMBER = re.compile(r"(part member\n)yes")


@pytest.fixture(scope="module")
def desired() -> Desired[Resource]:
    return recorded_wish()


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return recorded_look()


def changed(snapshot: Snapshot, host: str, section: str, change: Callable[[str], str]) -> Snapshot:
    look = snapshot.hosts[host]
    answer = look.sections[section]
    changed_to = change(answer.text)
    assert changed_to != answer.text
    return replace(
        snapshot, hosts={**snapshot.hosts, host: look.with_section(section, replace(answer, text=changed_to))}
    )


def comparer(
    desired: Desired[Resource], snapshot: Snapshot, service: str | None = None, *hosts: str, throttle: int = 2
) -> Comparer:
    (wish,) = of_service([desired], service, hosts)
    run = replace(wish.run, throttle=throttle)
    return rolling(Comparer(replace(wish, run=run), KINDS, ignore_phase="a test"), snapshot)


def changes(found: Comparer, snapshot: Snapshot) -> Mapping[str, Change]:
    return {str(change.address): change for change in found.compare(snapshot).plan.changes}


def test_a_service_restarts_wherever_it_is_declared(desired: Desired[Resource], snapshot: Snapshot) -> None:
    found = changes(comparer(desired, snapshot, "mlnode-308"), snapshot)

    assert list(found) == [f"{host}/compose-service:mlnode-308" for host in desired.hosts]
    for change in found.values():
        assert (change.action, change.effect) == (Action.UPDATE, Effect.DISRUPTIVE)
        assert [(item.name, item.before, item.after) for item in change.attributes] == [
            ("restarted", False, True)
        ]
        assert change.runnable


def test_a_host_may_be_named(desired: Desired[Resource], snapshot: Snapshot) -> None:
    found = changes(comparer(desired, snapshot, "mlnode-308", "ml-02"), snapshot)

    assert list(found) == ["cluster2-ml-02/compose-service:mlnode-308"]


def turns(found: Comparer) -> dict[str, set[str]]:
    """For each host, the other hosts whose services it waits for."""
    waits: dict[str, set[str]] = {}
    for address, edges in found.needs.items():
        if address.kind == "compose-service" and address in found.desired.resources:
            waits.setdefault(address.host, set()).update(edge.on.host for edge in edges)
    return {host: {other for other in others if other != host} for host, others in waits.items()}


@pytest.mark.parametrize("throttle", [1, 2])
def test_of_a_serving_cluster_one_host_after_the_other(
    desired: Desired[Resource], snapshot: Snapshot, throttle: int
) -> None:
    hosts = list(desired.hosts)

    found = turns(comparer(desired, snapshot, "mlnode-308", throttle=throttle))

    assert [found[host] for host in hosts] == [set(), *({host} for host in hosts[:-1])]


def test_where_nothing_is_served_as_many_as_the_throttle_says(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    idle = changed(snapshot, NETWORK, "chain-phase", lambda text: MEMBER.sub(r"\1no", text))
    network, *ml = desired.hosts

    found = turns(comparer(desired, idle, "mlnode-308", throttle=2))

    assert [found[host] for host in ml] == [{network}, {network}, set(ml[:2]), set(ml[:2]), set(ml[2:4])]


def test_services_of_a_host_go_in_the_order_in_which_they_are_started(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    found = comparer(desired, snapshot, None, "network")

    order = [address.name for address in in_order(found.needs, {}) if address in found.desired.resources]
    assert order.index("tmkms") < order.index("node") < order.index("api") < order.index("proxy")
    assert order.index("mlnode-308") < order.index("inference")
    assert not found.kinds["compose-service"].side_by_side


def test_what_does_not_run_is_for_a_converge_and_holds_up_nobody(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    found = changes(comparer(desired, snapshot, "inference"), snapshot)

    held = {address: change.held for address, change in found.items() if change.held}
    assert held == {
        f"{STOPPED}/compose-service:inference": "its container is exited: gonka-state converge starts what shall run"
    }


def test_a_host_that_cannot_be_reached_holds_up_nobody(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    silent = replace(snapshot, hosts={**snapshot.hosts, "cluster2-ml-01": HostLook(unknown="is off")})

    plan = comparer(desired, silent, "mlnode-308").compare(silent).plan

    assert [change.address.host for change in plan.unknown] == ["cluster2-ml-01"]
    assert len(plan.runnable) == 5


STARTED = re.compile(r'("started":")2026-')


def test_it_is_restarted_when_it_started_anew_and_is_healthy(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    found = comparer(desired, snapshot, "api")
    later = changed(snapshot, NETWORK, "containers", lambda text: STARTED.sub(r"\g<1>2027-", text))
    sick = changed(later, NETWORK, "containers", lambda text: re.sub(r"200 (\S+9200\S+)", r"500 \1", text))

    assert changes(found, later) == {}
    (change,) = changes(found, sick).values()
    assert [item.name for item in change.attributes] == ["healthy"]


def test_a_container_made_anew_counts_as_restarted(desired: Desired[Resource], snapshot: Snapshot) -> None:
    found = comparer(desired, snapshot, "tmkms")
    new = changed(snapshot, NETWORK, "containers", lambda text: re.sub(r'"id":"....', '"id":"0000', text))

    assert changes(found, new) == {}


def test_a_signer_is_not_restarted_beside_another(desired: Desired[Resource], snapshot: Snapshot) -> None:
    def doubled(text: str) -> str:
        (line,) = [line for line in text.split("\n") if line.startswith("join\ttmkms\t")]
        other = line.replace("join\t", "old\t", 1).replace('"id":"', '"id":"0')
        return text.replace(line, f"{line}\n{other}")

    two = changed(snapshot, NETWORK, "containers", doubled)

    (change,) = changes(comparer(desired, two, "tmkms"), two).values()
    assert "two signers would be slashed" in change.held


def test_a_service_that_nobody_declares_is_named_with_the_nearest(desired: Desired[Resource]) -> None:
    with pytest.raises(
        InputError, match="mlnode: no such service is declared; did you mean node or mlnode-308"
    ):
        of_service([desired], "mlnode", ())
    with pytest.raises(
        InputError, match="tmkms: no such service is declared on ml-01; there are: inference, mlnode-308"
    ):
        of_service([desired], "tmkms", ("ml-01",))


def test_whether_nodes_are_enabled_is_remembered(desired: Desired[Resource], snapshot: Snapshot) -> None:
    found = enabled(Comparer(desired, KINDS).compare(snapshot))

    assert found == dict.fromkeys(["network-node", *list(desired.hosts)[1:]], True)


def test_nothing_is_known_of_a_host_whose_docker_is_silent(
    desired: Desired[Resource], snapshot: Snapshot
) -> None:
    look = snapshot.hosts[NETWORK].with_section("containers", Answer("", unknown="timed out"))
    silent = replace(snapshot, hosts={**snapshot.hosts, NETWORK: look})

    (change,) = changes(comparer(desired, silent, "api"), silent).values()

    assert change.action is Action.UNKNOWN


@pytest.mark.parametrize(
    ("host", "held"),
    [
        ("cluster2-ml-02", ""),
        (STOPPED, f"waits for {STOPPED}/compose-service:inference, which was not selected"),
    ],
)
def test_the_command_that_gives_an_api_its_nodes_back_looks_at_what_they_need(
    desired: Desired[Resource], snapshot: Snapshot, host: str, held: str
) -> None:
    """`converge --kind node`, as it is recommended after a restart."""
    node = Address(NETWORK, "node", host)
    resource = desired.resources[node].resource.model_copy(update={"max_concurrent": 7})
    resources = {**desired.resources, node: replace(desired.resources[node], resource=resource)}
    wish = replace(desired, resources=resources)
    selected = select(wish, hosts=(), kinds=("node",))

    compared = Comparer(wish, KINDS, selected, ignore_phase="a test").compare(snapshot)

    assert [(change.address, change.held) for change in compared.plan.changes] == [(node, held)]
