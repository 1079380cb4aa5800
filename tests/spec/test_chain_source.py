"""Where the phase of the chain is read, from the words of a cluster file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.bech32 import account_address
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gonka_state.core.chain import ChainSource
    from gonka_state.resources.base import Resource

PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
HEAD = "cluster: c\nssh: {user: root, key: id, known_hosts: k}\n"
NETWORK = """
hosts:
  net:
    address: 10.0.0.1
    role: network
    services: {/srv/join: {services: {api: {admin: true}}}}
"""


def _source(tmp_path: Path, models: Mapping[str, type[Resource]], text: str) -> ChainSource | None:
    file = tmp_path / "c.yaml"
    file.write_text(HEAD + text)
    return load([file], models=models, env={})[0].chain


def test_the_network_host_asks_its_own_api_and_looks_into_its_keyring(
    tmp_path: Path, models: Mapping[str, type[Resource]]
) -> None:
    found = _source(
        tmp_path, models, f"network: {{ml_key_name: warm, account: {{pubkey: {PUBKEY}}}}}{NETWORK}"
    )

    assert found is not None
    assert (found.host, found.apis[0]) == ("net", "http://127.0.0.1:8000")
    assert found.keyring == "/srv/join/.inference/keyring-file/warm.info"
    assert found.address == account_address(PUBKEY)


def test_without_the_operators_key_any_warm_key_counts_and_nobody_is_looked_for(
    tmp_path: Path, models: Mapping[str, type[Resource]]
) -> None:
    found = _source(tmp_path, models, f"network: {{account: {{pubkey: {{env: NOT_SET}}}}}}{NETWORK}")

    assert found is not None
    assert found.keyring.endswith("/*.info")
    assert found.address == ""


def test_a_network_node_elsewhere_is_asked_from_the_first_host(
    tmp_path: Path, models: Mapping[str, type[Resource]]
) -> None:
    text = "network: {managed: elsewhere, address: 10.0.0.9}\nhosts: {ml-01: {address: 10.0.0.2, role: ml}}\n"

    found = _source(tmp_path, models, text)

    assert found is not None
    assert (found.host, found.apis[0], found.keyring) == ("ml-01", "http://10.0.0.9:8000", "")


def test_where_nothing_is_deployed_there_is_no_chain(
    tmp_path: Path, models: Mapping[str, type[Resource]]
) -> None:
    assert _source(tmp_path, models, "hosts: {net: {address: 10.0.0.1, role: network}}\n") is None
