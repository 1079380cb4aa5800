"""A host's requirements: what counts as free on its disks, and whom it has to reach."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gonka_state.resources.model import PUBLIC_HUB
from gonka_state.resources.requirement import TARGET
from gonka_state.spec.drafts import given
from gonka_state.spec.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Requirement
    from gonka_state.spec.tree import Node
    from gonka_state.spec.words import Cluster

WITH_SIZES = ("memory", "disk", "disk-size")


def required(expansion: Expansion, name: str, label: str, words: Requirement, node: Node) -> dict[str, Any]:
    """One requirement of a host; targets written as words become what the cluster declares."""
    cluster, host = expansion.words, expansion.words.hosts[name]
    data = {"name": label, "topic": label, **given(words)}
    if words.targets is not None:
        data["targets"] = list(dict.fromkeys(_targets(expansion, name, node.deepest(["targets"]))))
    if words.ports is not None:
        data["ports"] = [
            f"{int(port)}/{protocol or 'tcp'}"
            for port, _, protocol in (p.partition("/") for p in words.ports)
        ]
    hub = cluster.hub
    path = PurePosixPath(data.get("path", "/"))
    if data["topic"] == "disk" and hub is not None and PurePosixPath(hub.home).is_relative_to(path):
        # What is downloaded already must not make the free space too small (the models stay wanted).
        data["counts"] = [f"{hub.home}/hub/models--{model.replace('/', '--')}" for model in host.models]
    return data


def _targets(expansion: Expansion, name: str, node: Node) -> Iterator[str]:
    for item in (node,) if node.items is None else node.items:
        if item.raw in _WORDS:
            yield from _WORDS[item.raw](expansion.words, name)
        elif TARGET.fullmatch(item.raw):
            yield item.raw
        else:
            what = (
                f"{item.raw!r} is neither http(s)://HOST nor tcp://HOST:PORT, nor one of {', '.join(_WORDS)}"
            )
            expansion.sources.problems.add(item.source, what, did_you_mean(item.raw, _WORDS))


def _hosts(cluster: Cluster, name: str) -> Iterator[str]:
    """The SSH port of every other host: the one port that is open on all of them from the start."""
    for other, host in cluster.hosts.items():
        if other != name:
            yield _tcp(host.address, host.port or cluster.ssh.port)


def _hub(cluster: Cluster, name: str) -> Iterator[str]:  # noqa: ARG001 (every host's alike)
    if cluster.hub is not None:
        yield cluster.hub.endpoint or PUBLIC_HUB


def _repository(cluster: Cluster, name: str) -> Iterator[str]:  # noqa: ARG001 (as above)
    url = cluster.repository.url if cluster.repository is not None else ""
    parts = urlsplit(url)
    if parts.scheme in {"http", "https"}:
        yield url
    elif parts.hostname:
        yield _tcp(parts.hostname, parts.port or {"git": 9418}.get(parts.scheme, 22))
    elif ":" in url and not parts.scheme:  # user@host:path, git's short form of SSH
        yield _tcp(url.partition(":")[0].rpartition("@")[2], 22)


def _seeds(cluster: Cluster, name: str) -> Iterator[str]:  # noqa: ARG001 (as above)
    network = cluster.network
    seed = () if network.seed is None else (network.seed.api_url, network.seed.rpc_url, network.seed.p2p_url)
    yield from (url for url in (*seed, *(network.rpc_servers or ())) if TARGET.fullmatch(url))


def _tcp(host: str, port: int) -> str:
    return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


_WORDS: Mapping[str, Callable[[Cluster, str], Iterator[str]]] = {
    "hosts": _hosts,
    "hub": _hub,
    "repository": _repository,
    "seeds": _seeds,
}
"""Words for targets that follow from the cluster, like the words for sources of a rule."""
