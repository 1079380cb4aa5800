"""The words about the chain turned into what the network host has to be on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.permissions import RELEASES
from gonka_state.spec.chain_source import PORT, admin_project, own_address
from gonka_state.spec.checks import default_id
from gonka_state.spec.drafts import Draft
from gonka_state.spec.expand_keys import KEYRING, operator_path, service_of
from gonka_state.spec.host_words import NETWORK
from gonka_state.spec.references import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node

NODE = "node"


def chain(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001
    """Sync, registration, grants and the report's checks, each where its word is declared."""
    if host.role != NETWORK:
        return
    directory = admin_project(host)
    _complete(expansion, directory)
    if directory is None:
        return
    words = expansion.words.network
    container = words.chain_sync.container if words.chain_sync is not None else NODE
    if words.chain_sync is not None:
        data: dict[str, Any] = {"name": container, "seed_rpc": words.seed.rpc_url if words.seed else ""}
        yield Draft(name, "chain-sync", data, _place(expansion, "chain_sync"))
    if words.seed is not None and expansion.context.pubkey is not None:
        common = _common(expansion, host, directory, container)
        yield from _registration(expansion, name, common)
        yield from _grants(expansion, name, common, directory)
    if words.setup_report is not None:
        checks = dict(_checks(expansion))
        for level in sorted(set(checks.values())):
            passing = {check: "PASS" for check, of in checks.items() if of == level}
            data = {"name": level, "checks": passing, "node": container}
            yield Draft(name, "setup-report", data, _place(expansion, "setup_report"))


def _complete(expansion: Expansion, directory: str | None) -> None:
    """Refuse words that would mean nothing, because something they need is not declared."""
    words = expansion.words.network
    admin, url = (
        "a service with admin: true on the network host",
        "network.public_host or network.registration.url",
    )
    declared = {
        "network.seed": words.seed,
        "network.account.pubkey": expansion.context.pubkey,
        "network.ml_key_name": words.ml_key_name,
        url: expansion.context.public_host
        or (words.registration.url if words.registration is not None else None),
        admin: directory,
    }
    member = ("network.seed", "network.account.pubkey", admin)
    needs = {
        "chain_sync": (admin,),
        "registration": (*member, url),
        "grants": (*member, "network.ml_key_name"),
        "setup_report": (admin,),
    }
    for word, needed in needs.items():
        lacks = [name for name in needed if declared[name] is None]
        if getattr(words, word) is not None and lacks:
            what = f"network.{word} says nothing without {' and '.join(lacks)}"
            expansion.context.problems.add(_place(expansion, word).source, what)


def _place(expansion: Expansion, word: str) -> Node:
    return expansion.tree.deepest(["network", word])


def _common(expansion: Expansion, host: Host, directory: str, container: str) -> dict[str, Any]:
    """What registration and grants are both told."""
    words = expansion.words.network
    account = words.account.key_name or "gonka-account-key"
    return {
        "name": own_address(expansion.context.pubkey) or account,
        "key_name": account,
        "home": operator_path(expansion, ["account", "keyring"]),
        "directory": directory,
        "service": service_of(host, directory),
        "node": container,
        "seed_api": words.seed.api_url if words.seed else "",
        "seed_rpc": words.seed.rpc_url if words.seed else "",
    }


def _registration(expansion: Expansion, host: str, common: dict[str, Any]) -> Iterator[Draft]:
    words, context = expansion.words.network.registration, expansion.context
    if words is None:
        return
    public = context.public_host
    url = words.url or f"http://{public}:{PORT}"
    withheld = _withheld(context.pubkey) or ("" if words.url else _withheld(public))
    data = common | {"url": url, "consensus_key": words.consensus_key}
    data["pubkey"] = context.pubkey if isinstance(context.pubkey, str) else ""
    if words.url or public is not None:
        yield Draft(host, "registration", data, _place(expansion, "registration"), withheld)


def _grants(expansion: Expansion, host: str, common: dict[str, Any], directory: str) -> Iterator[Draft]:
    words, key = expansion.words.network.grants, expansion.words.network.ml_key_name
    if words is None or key is None:
        return
    data = common | {
        "messages": words.messages or list(RELEASES[words.release]),
        "renew_days": words.renew_days,
        "fee_allowance": True if words.fee_allowance else None,
        "warm_key": key,
        "keyring": f"{directory}/{KEYRING}",
    }
    withheld = _withheld(expansion.context.pubkey)
    yield Draft(host, "grants", data, _place(expansion, "grants"), withheld)


def _withheld(value: object) -> str:
    return value.reason if isinstance(value, Withheld) else ""


def _checks(expansion: Expansion) -> Iterator[tuple[str, str]]:
    words = expansion.words.network.setup_report
    if words is None:
        return
    yield from words.checks.items()
    for name, host in expansion.words.hosts.items():
        if words.nodes is not None and host.node is not None and host.model is not None:
            yield f"mlnode_{host.node.id or default_id(name, host.role)}", words.nodes
