"""The words about keys turned into the account, the keyring and the warm key of the network host."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from gonka_state.spec.chain_source import admin_project, own_address
from gonka_state.spec.drafts import Draft
from gonka_state.spec.host_words import NETWORK
from gonka_state.spec.layers import beside
from gonka_state.spec.operator_keyring import read
from gonka_state.spec.references import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.operator_keyring import OperatorKeyring
    from gonka_state.spec.tree import Node

KEYRING = ".inference/keyring-file"


def keys(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001
    """Three resources, each where its words are declared; all on the host that runs the API."""
    directory = admin_project(host) if host.role == NETWORK else None
    if directory is None:
        return
    address = own_address(expansion.context.pubkey)
    yield from _account(expansion, name, directory, address)
    password, words = expansion.context.password, expansion.words.network
    if password is None:
        return
    place, withheld = expansion.tree.deepest(["network", "keyring_password"]), ""
    if isinstance(password, Withheld):
        withheld = password.reason
    secret = password if isinstance(password, SecretStr) else None
    data: dict[str, Any] = {"name": f"{directory}/{KEYRING}", "password": secret or SecretStr("")}
    yield Draft(name, "keyring", data, place, withheld)
    if words.ml_key_name is not None:
        data = {
            "name": words.ml_key_name,
            "keyring": f"{directory}/{KEYRING}",
            "directory": directory,
            "service": service_of(host, directory),
            "cluster": expansion.words.cluster,
            "password": secret,
            "waits": f"waits for {withheld}" if withheld else "",
            "mnemonic_file": operator_path(expansion, ["warm_key", "mnemonic_file"]),
            "account": address,
        }
        yield Draft(name, "warm-key", data, expansion.tree.deepest(["network", "ml_key_name"]))


def service_of(host: Host, directory: str) -> str:
    """The service of a project that answers the Admin API."""
    services = host.services[directory].services
    return next(name for name, service in services.items() if service.admin and service.state == "present")


def operator_path(expansion: Expansion, words: list[str]) -> str:
    """A path of the operator's machine, relative to the file it is written in; empty where none is."""
    node = expansion.tree.get("network")
    for word in words:
        node = None if node is None else node.get(word)
    if node is None:
        return ""
    try:
        return str(beside(node.source, str(node.scalar), expansion.context.references.env))
    except ValueError as error:
        expansion.context.problems.add(node.source, str(error))
        return ""


def _account(expansion: Expansion, host: str, directory: str, address: str) -> Iterator[Draft]:
    account, pubkey = expansion.words.network.account, expansion.context.pubkey
    if pubkey is None:
        return
    home = operator_path(expansion, ["account", "keyring"])
    keyring = read(Path(home)) if home else None
    data: dict[str, Any] = {
        "name": account.key_name or "account",
        "address": address,
        "keyring": f"{directory}/{KEYRING}",
    }
    if isinstance(pubkey, Withheld):
        data |= {"waits": f"waits for {pubkey.reason}", "advice": _advice(expansion, home, keyring)}
    elif keyring is not None and keyring.unread:
        data["waits"] = keyring.unread
        data["advice"] = ("take network.account.keyring out of the YAML where the keyring is not kept",)
    elif keyring is not None and (wrong := keyring.contradicts(account.key_name, address)):
        place = expansion.tree.deepest(["network", "account", "keyring"]).source
        expansion.context.problems.add(place, f"network.account.keyring {wrong}")
    yield Draft(host, "account", data, expansion.tree.deepest(["network", "account"]))


def _advice(expansion: Expansion, home: str, keyring: OperatorKeyring | None) -> tuple[str, ...]:
    """The plan's commands with this cluster's values; whoever has a key already is told how to read it."""
    words = expansion.words
    name = words.network.account.key_name or f"gonka-account-key-{words.cluster}"
    where = f"--keyring-backend file --home {shlex.quote(home or f'./gonka-keys-{words.cluster}')}"
    show = (
        "read its public key; the value wanted is the field key:",
        f"  inferenced keys show {name} --pubkey {where}",
    )
    if keyring is not None and name in keyring.names:
        return (f"the account key {name} is there ({', '.join(keyring.addresses)})", *show)
    return (
        f"where {words.cluster} has no account key yet, make it on your own machine, never on a server:",
        f"  inferenced keys add {name} {where}",
        "write the mnemonic it shows on paper and keep that offline, apart from the keyring and never on a server;",
        *show,
    )
