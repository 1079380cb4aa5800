"""How hosts are reached: the cluster's words, a host's own, and the hosts on the way."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (Path(__file__).parent / "small.yaml").read_text()


def changed(ssh: str = "", host: str = "") -> str:
    text = SMALL.replace("known_hosts: known_hosts}", f"known_hosts: known_hosts{ssh}}}")
    return text.replace("ml-01: {address: 10.0.0.2,", f"ml-01: {{address: 10.0.0.2,{host}")


def ways(desired: Any) -> dict[str, list[str]]:  # noqa: ANN401 (a wish)
    return {
        name: [f"{hop.user}@{hop.address}:{hop.port}" for hop in login.via]
        for name, login in desired.hosts.items()
    }


def test_without_words_nobody_jumps(read: Callable[..., Any]) -> None:
    assert ways(read(small=SMALL)) == {"net": [], "ml-01": [], "ml-02": []}


def test_a_host_of_the_cluster_may_be_the_jump_host_and_is_reached_directly(read: Callable[..., Any]) -> None:
    desired = read(small=changed(ssh=", port: 2200, proxy_jump: net"))

    hop = "ubuntu@10.0.0.1:2200"
    assert ways(desired) == {"net": [], "ml-01": [hop], "ml-02": [hop]}
    assert desired.hosts["ml-01"].via[0].known_hosts == desired.hosts["net"].known_hosts


def test_several_hops_and_the_way_to_one_of_them(read: Callable[..., Any]) -> None:
    desired = read(small=changed(ssh=", proxy_jump: ['ops@gate.example:2222', net]"))

    gate = "ops@gate.example:2222"
    assert ways(desired) == {
        "net": [gate],
        "ml-01": [gate, "ubuntu@10.0.0.1:22"],
        "ml-02": [gate, "ubuntu@10.0.0.1:22"],
    }


def test_a_hosts_own_words_win(read: Callable[..., Any]) -> None:
    text = changed(
        ssh=", proxy_jump: gate.example", host=" user: me, port: 2022, key: own, proxy_jump: '[fd00::9]:2',"
    )
    desired = read(small=text)
    own, other = desired.hosts["ml-01"], desired.hosts["ml-02"]

    assert (own.user, own.port, Path(own.key).name) == ("me", 2022, "own")
    assert (other.user, other.port, Path(other.key).name) == ("ubuntu", 22, "id")
    assert ways(desired)["ml-01"] == ["ubuntu@fd00::9:2"]
    assert own.pinned_as == "[10.0.0.2]:2022"
    assert ways(read(small=changed(ssh=", proxy_jump: gate", host=" proxy_jump: [],")))["ml-01"] == []


@pytest.mark.parametrize(
    "hop", ["a b", "x@y@z", "host:port", "gate.example:99999", "gate.example:0", "300.1.1.1", "a:1:2"]
)
def test_a_hop_that_is_none_is_named_at_its_place(read: Callable[..., Any], hop: str) -> None:
    with pytest.raises(InputError) as caught:
        read(small=changed(ssh=f", proxy_jump: [gate.example, '{hop}']"))

    assert f"{hop!r} is neither a host of this cluster nor [USER@]HOST[:PORT]" in caught.value.problems[0]
    assert caught.value.problems[0].startswith("small.yaml:2:")
