"""Where a cluster's look reads the phase of the chain, from the words of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.bech32 import account_address
from gonka_state.core.chain import ChainSource
from gonka_state.spec.host_words import NETWORK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.spec.host_words import Host
    from gonka_state.spec.references import Value, Withheld
    from gonka_state.spec.words import Cluster

LOOPBACK = "127.0.0.1"
OWN_API = f"http://{LOOPBACK}:8000"
PORT = 8000
"""API_PORT of the deployment, on every network node (gonka-contract 5.3)."""


def chain_source(words: Cluster, pubkey: Value | Withheld | None, seeds: Sequence[str]) -> ChainSource | None:
    """The network host with its own API, else the first host with the API of a network node elsewhere.

    None where nothing is declared that is deployed: such a file has no chain. `seeds` are asked last. Without
    the account's public key nobody can tell that the cluster takes no part in an epoch.
    """
    address = own_address(pubkey)
    network = next((name for name, host in words.hosts.items() if host.role == NETWORK), None)
    if network is not None:
        directory = admin_project(words.hosts[network])
        if directory is None:
            return None
        key = f"{directory}/.inference/keyring-file/{words.network.ml_key_name or '*'}.info"
        return ChainSource(network, (OWN_API, *seeds), key, address)
    if words.network.managed == "elsewhere" and words.network.address:
        first = next(iter(words.hosts))
        return ChainSource(first, (f"http://{words.network.address}:{PORT}", *seeds), "", address)
    return None


def own_address(pubkey: Value | Withheld | None) -> str:
    """The cluster's cold address; empty while its public key is not known, or wrong."""
    try:
        return account_address(pubkey) if isinstance(pubkey, str) else ""
    except ValueError:  # said where the public key is checked
        return ""


def admin_project(host: Host) -> str | None:
    """The directory of the compose project whose service answers the Admin API."""
    return next(
        (
            directory
            for directory, project in host.services.items()
            if any(service.admin and service.state == "present" for service in project.services.values())
        ),
        None,
    )
