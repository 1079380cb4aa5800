"""The words about the chain: what the network host has to be on it, and what waits for the operator's values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.errors import InputError
from tests.spec.conftest import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Declared, Desired
    from gonka_state.resources.base import Resource

SEED = "  seed: {api_url: 'http://s:8000', rpc_url: 'http://s:8000/chain-rpc/', p2p_url: 'tcp://s:5000'}\n"
COLD = "gonka1w508d6qejxtdg4y5r3zarvary0c5xw7k2gsyg6"
Read = "Callable[..., Desired[Resource]]"


def small(words: str, **replaced: str) -> str:
    text = SMALL.replace("hub:", f"{SEED}{words}hub:", 1)
    for old, new in replaced.items():
        text = text.replace(
            {"host": "203.0.113.12", "pubkey": "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"}[old], new
        )
    return text


def of(desired: Desired[Resource]) -> dict[str, Declared[Any]]:
    kinds = {"chain-sync", "registration", "grants", "setup-report"}
    return {str(address): item for address, item in desired.resources.items() if address.kind in kinds}


def test_nothing_is_declared_that_nobody_wrote(read: Callable[..., Desired[Resource]]) -> None:
    assert of(read(small=small(""))) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            SMALL.replace("hub:", "  registration: {}\nhub:", 1),
            "network.registration says nothing without network.seed",
        ),
        (
            small("  grants: {}\n").replace("  ml_key_name: warm\n", ""),
            "network.grants says nothing without network.ml_key_name",
        ),
        (
            small("  chain_sync: {}\n").replace("admin: true", "admin: false"),
            "network.chain_sync says nothing without a service with admin: true on the network host",
        ),
    ],
)
def test_a_word_that_says_nothing_alone_is_refused(
    read: Callable[..., Desired[Resource]], text: str, said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read(small=text)

    assert said in "\n".join(caught.value.problems)


def test_each_word_is_one_resource_on_the_network_host(read: Callable[..., Desired[Resource]]) -> None:
    words = "  chain_sync: {}\n  registration: {}\n  grants: {renew_days: 40}\n"
    found = of(read(small=small(words)))

    assert list(found) == ["net/chain-sync:node", f"net/registration:{COLD}", f"net/grants:{COLD}"]
    registration, grants = (found[f"net/{kind}:{COLD}"].resource for kind in ("registration", "grants"))
    assert found["net/chain-sync:node"].resource.seed_rpc == "http://s:8000/chain-rpc/"
    assert (registration.url, registration.directory, registration.service) == (
        "http://203.0.113.12:8000", "/opt/join", "api"
    )  # fmt: skip
    assert (registration.key_name, registration.seed_api, registration.home) == ("cold", "http://s:8000", "")
    assert (grants.messages, grants.renew_days) == (tuple(RELEASES[CURRENT]), 40)
    assert (grants.warm_key, grants.keyring) == ("warm", "/opt/join/.inference/keyring-file")
    assert grants.fee_allowance is True


def test_words_change_what_is_asked_for(read: Callable[..., Desired[Resource]]) -> None:
    words = (
        "  registration: {url: 'https://n.example', consensus_key: KEY=}\n"
        "  grants: {release: '0.2.0', fee_allowance: false}\n"
    )
    found = of(read(small=small(words)))

    assert found[f"net/registration:{COLD}"].resource.attributes() == {
        "url": "https://n.example", "consensus_key": "KEY="
    }  # fmt: skip
    grants = found[f"net/grants:{COLD}"].resource
    assert (len(grants.messages), grants.fee_allowance) == (25, None)
    own = of(read(small=small("  grants: {messages: [/m.Msg]}\n")))
    assert own[f"net/grants:{COLD}"].resource.messages == ("/m.Msg",)


@pytest.mark.parametrize(
    ("replaced", "held"),
    [
        ({"pubkey": "{env: PUBKEY}"}, {"registration": "PUBKEY", "grants": "PUBKEY"}),
        ({"host": "{env: HOST}"}, {"registration": "HOST", "grants": ""}),
    ],
)
def test_what_needs_a_value_that_is_not_set_waits_for_it(
    read: Callable[..., Desired[Resource]], replaced: dict[str, str], held: dict[str, str]
) -> None:
    found = of(read(small=small("  registration: {}\n  grants: {}\n", **replaced)))

    assert {item.address.kind: item.withheld.split(" ")[0] for item in found.values()} == held


def test_the_report_is_asked_by_level_and_for_every_node(read: Callable[..., Desired[Resource]]) -> None:
    found = of(read(small=small("  setup_report: {checks: {versions: block, a: warn}, nodes: warn}\n")))

    assert {name: item.resource.checks for name, item in found.items()} == {
        "net/setup-report:block": {"versions": "PASS"},
        "net/setup-report:warn": dict.fromkeys(
            ("a", "mlnode_network-node", "mlnode_ml-01", "mlnode_ml-02"), "PASS"
        ),
    }


def test_a_release_that_nobody_knows_is_refused(read: Callable[..., Desired[Resource]]) -> None:
    with pytest.raises(InputError, match=r"expected '0\.2\.0' or '0\.2\.13'"):
        read(small=small("  grants: {release: '9'}\n"))
