"""What no single word can say wrong: names that must exist, be unique, or fit together."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.vllm import check_args, gpus_per_instance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.core.desired import Source
    from gonka_state.spec.problems import Problems
    from gonka_state.spec.tree import Node

GPUS = 8
"""Cards of a host that does not list them: the plan's servers."""

RESERVED = ("any", "nobody")
_NAME = re.compile(r"(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*")


def is_ip(text: str) -> bool:
    """True for an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_host(text: str) -> bool:
    """True for an address or a DNS name; four numbers that are no address are not a name."""
    return is_ip(text) or bool(_NAME.fullmatch(text) and not re.fullmatch(r"[0-9.]+", text))


def text_of(node: Node | None, name: str, default: str = "") -> str:
    """An entry that is a text, else the default: what is wrong with it is said elsewhere."""
    entry = None if node is None else node.get(name)
    return entry.scalar if entry is not None and isinstance(entry.scalar, str) else default


def entries(node: Node | None, name: str) -> dict[str, Node]:
    """The entries of a map in a map; none when there is no such map."""
    inner = None if node is None else node.get(name)
    return (inner.entries if inner is not None else None) or {}


def check(tree: Node, problems: Problems) -> None:
    """Look at a cluster's whole tree; parts of a wrong shape are passed over."""
    hosts = entries(tree, "hosts")
    _roles(tree, hosts, problems)
    _addresses(hosts, problems)
    _models(tree, hosts, problems)
    _nodes(hosts, problems)
    for name, node in entries(tree, "models").items():
        check_args(name, node, problems)


def _roles(tree: Node, hosts: dict[str, Node], problems: Problems) -> None:
    roles = {NETWORK, ML, *entries(tree, "roles")}
    for name, host in hosts.items():
        role = text_of(host, "role")
        if role and role not in roles:
            what = f"no role {role!r}; there are {', '.join(sorted(roles))}"
            problems.add(host.deepest(["role"]).source, what, did_you_mean(role, roles))
        if name in roles or name in RESERVED:
            problems.add(
                host.where, f"a host cannot be called {name!r}: in rules this word means something else"
            )
    network = _network_hosts(hosts)
    elsewhere = text_of(tree.get("network"), "managed") == "elsewhere"
    place = (tree.get("hosts") or tree).where
    if elsewhere and network:
        problems.add(network[0].where, "the network node is managed elsewhere, but this host has its role")
    elif elsewhere and not text_of(tree.get("network"), "address"):
        problems.add(
            tree.deepest(["network", "managed"]).where, "a network node elsewhere needs network.address"
        )
    elif not elsewhere and hosts and not network:
        problems.add(
            place, "no host has the role network; if it is not ours, say network: {managed: elsewhere}"
        )
    for host in network[1:]:
        problems.add(host.deepest(["role"]).source, "a cluster has one network host; this is another")


def _network_hosts(hosts: dict[str, Node]) -> list[Node]:
    return [host for host in hosts.values() if text_of(host, "role") == NETWORK]


def _addresses(hosts: dict[str, Node], problems: Problems) -> None:
    seen: dict[str, str] = {}
    for name, host in hosts.items():
        given = host.get("address")
        if given is None or not isinstance(given.scalar, str):
            continue
        address = given.scalar
        place = host.deepest(["address"]).source
        if not is_host(address):
            problems.add(place, f"{address!r} is neither an IP address nor a host name")
            continue
        if is_ip(address) and ipaddress.ip_address(address).is_unspecified:
            problems.add(place, f"{address} is the address of no host")
        key = str(ipaddress.ip_address(address)) if is_ip(address) else address.lower()
        if key in seen:
            problems.add(place, f"address {address} is already that of {seen[key]}")
        seen.setdefault(key, name)


def models_of(host: Node) -> Iterator[Node]:
    """The nodes that name models: the one served, then the ones only kept."""
    for node in (host.get("model"), *((host.get("cache") or host).items or ())):
        if node is not None and isinstance(node.scalar, str):
            yield node


def _models(tree: Node, hosts: dict[str, Node], problems: Problems) -> None:
    declared = entries(tree, "models")
    if tree.get("hub") is None and any(True for host in hosts.values() for _ in models_of(host)):
        problems.add(tree.source, "missing key 'hub': models need a place, as in hub: {home: /mnt/shared}")
    for name, host in hosts.items():
        for wanted in models_of(host):
            model = declared.get(str(wanted.scalar))
            if model is None:
                near = did_you_mean(str(wanted.scalar), declared)
                problems.add(wanted.source, f"no model {wanted.scalar!r} is declared under models:", near)
            elif model.get("revision") is None:
                what = f"model {wanted.scalar} is used by {name} and has no revision: pin the hub's commit"
                problems.add(model.where, what)
        served = declared.get(text_of(host, "model"))
        if served is not None:
            _fits(name, host, served, problems)


def _fits(name: str, host: Node, model: Node, problems: Problems) -> None:
    cards = [item.scalar for item in (host.get("gpus") or host).items or ()]
    if len(cards) != len(set(cards)):
        problems.add(host.deepest(["gpus"]).where, f"{name} lists a GPU twice")
    have = len(cards) or GPUS
    need, place = gpus_per_instance(model)
    if need > have:
        problems.add(place, f"an instance needs {need} GPUs, {name} has {have}")
    elif need and have % need:
        problems.add(place, f"instances of {need} GPUs do not divide the {have} GPUs of {name}")


def _nodes(hosts: dict[str, Node], problems: Problems) -> None:
    surplus = _network_hosts(hosts)[1:]
    ids: dict[str, str] = {}
    ports: dict[tuple[str, int], str] = {}
    addresses: set[str] = set()
    for name, host in hosts.items():
        node = host.get("node")
        if node is None or node.entries is None or host.get("model") is None or host in surplus:
            continue
        label = text_of(node, "id", default_id(name, text_of(host, "role")))
        if label in ids:
            problems.add(_place(host, "id"), f"node id {label!r} of {name} is already that of {ids[label]}")
        ids.setdefault(label, name)
        target = text_of(node, "host", text_of(host, "address"))
        if target in addresses:
            continue  # already a problem, or another node's own business
        addresses.update({target} if node.get("host") is None else ())
        for word, default in (("inference_port", 5050), ("poc_port", 8080)):
            given = node.get(word)
            port = given.scalar if given is not None and isinstance(given.scalar, int) else default
            other = ports.setdefault((target, port), f"{name}'s {word}")
            if other != f"{name}'s {word}":
                problems.add(_place(host, word), f"{name}'s {word} {target}:{port} is already {other}")


def _place(host: Node, word: str) -> Source:
    """Where a host's node says a word; a role's word stands for many hosts, then the host's own line."""
    found = host.deepest(["node", word])
    own = host.where
    return found.source if found.source.file == own.file and found.source.line >= own.line else own


def default_id(host: str, role: str) -> str:
    """The id of a host's ML node where none is given: stable, and never derived from an address."""
    return "network-node" if role == NETWORK else host
