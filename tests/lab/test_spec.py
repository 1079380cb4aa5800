"""A lab's values: what they refuse, and the addresses that follow from a subnet."""

from __future__ import annotations

import pytest

from gonka_state.errors import LabError
from gonka_state.lab import LabHost, LabSpec
from gonka_state.lab.network import Network
from gonka_state.lab.spec import Plan

IFNAMSIZ = 16
NETWORK, ML = LabHost("c-network", "network"), LabHost("c-ml-01", "ml")


def test_addresses_follow_from_the_subnet() -> None:
    plan = Plan.parse("10.78.3.0/24")
    assert (plan.services, plan.v4(11), plan.v6(11)) == ("10.78.3.1", "10.78.3.11", "fd77:10:78:3::11")


@pytest.mark.parametrize("text", ["10.77.0.0/16", "10.77.0.5/24", "no", "10.77.0.0/25", "fd77::/64"])
def test_only_a_slash_24_is_a_subnet(text: str) -> None:
    with pytest.raises(LabError):
        Plan.parse(text)


@pytest.mark.parametrize(
    ("cluster", "user", "hosts"),
    [
        ("../up", "ubuntu", (ML,)),
        ("c", "ubuntu", (LabHost("Bad_Name", "ml"),)),
        ("c", "a b", (ML,)),
        ("c", "ubuntu", ()),
        ("c", "ubuntu", (ML, ML)),
    ],
)
def test_names_that_would_reach_a_shell_or_a_path_are_refused(
    cluster: str, user: str, hosts: tuple[LabHost, ...]
) -> None:
    with pytest.raises(LabError):
        LabSpec(cluster, user, hosts, {})


def test_the_network_host_is_the_entrance_wherever_it_stands() -> None:
    assert LabSpec("c", "ubuntu", (ML, NETWORK), {}).entrance == NETWORK
    assert LabSpec("c", "ubuntu", (ML,), {}).entrance == ML


def test_interface_names_fit_the_kernel_and_labs_do_not_share_them() -> None:
    plan = Plan.parse("10.77.0.0/24")
    one, other = Network("a-cluster-with-a-very-long-name", plan), Network("another", plan)
    assert len(one.door) < IFNAMSIZ
    assert one.door != other.door
    assert not other.bridge.startswith(one.prefix)
