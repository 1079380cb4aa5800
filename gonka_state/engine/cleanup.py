"""What `cleanup` takes away and what it leaves: the same resources, those that go declared absent.

From there it is a converge like any other: plan, order (what is removed goes before what it needed), gates, second look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gonka_state.core.kept import NEVER_DELETED, is_data
from gonka_state.core.observation import Present
from gonka_state.engine.waiting import LOST_REWARD
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.file import FileResource
from gonka_state.resources.firewall import FirewallRuleResource
from gonka_state.resources.model import ModelResource
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Declared, Desired
    from gonka_state.core.observation import Observation
    from gonka_state.facts.here import Here
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource

MODEL = "model"
GOES: frozenset[str] = frozenset({"node", "compose-service", "firewall-rule", "env-file", "file"})
"""Kinds of what was deployed. Of rules and files some stay: see `_stays`."""

STAYS: Mapping[str, str] = {
    MODEL: "hours to fetch again: --models removes those that are declared",
    "repository": "its directory holds the chain's data and the keys: .inference, .tmkms, .dapi",
    "warm-key": "the cluster's identity on the chain, in .inference",
    "registration": "the chain knows no way back",
    "grants": "of the account key: revoked with it, or not at all",
    "compose-images": "fetched again they take long; docker image prune frees the disk",
    "container-port": "a restriction: without it more would be let in",
    "firewall": "a restriction: without it more would be let in",
    "directory": "models and other data may lie in it",
    "package": "perhaps there before",
    "python-tool": "nothing runs from it by itself",
    "service": "Docker and the like, perhaps there before",
    "docker-daemon": "Docker's own setting, perhaps there before",
    "sysctl": "a setting of the host, perhaps there before",
    "file-block": "settings in a file of others, such as HF_HOME: the models stay too",
    "authorized-keys": "who may log in",
    "backup": "what it keeps stays, so its timer goes on",
}
"""Kinds of what is left, with the reason that is printed."""

LOOKS: frozenset[str] = frozenset(
    {"account", "binary", "chain-sync", "exposure", "keyring", "requirement", "restored-keys", "setup-report"}
)
"""Kinds that only look: nothing of them is on a host."""

_SSH = 22


@dataclass(frozen=True, slots=True)
class Stays:
    """What is left of one kind, on how many hosts, and why."""

    kind: str
    names: tuple[str, ...]
    hosts: int
    why: str


def _stays(resource: Resource, ports: Collection[int], projects: Collection[str]) -> str:
    """Why one resource is left; empty where it goes."""
    match resource:
        case FileResource() | EnvFileResource() | ModelResource() if is_data(str(_place(resource))):
            return NEVER_DELETED
        case FileResource() | EnvFileResource() if not any(map(_place(resource).is_relative_to, projects)):
            return "a setting of the host, its backup or its monitoring: in no compose project"
        case FirewallRuleResource() if resource.action in {"deny", "reject"} or resource.direction != "in":
            return "a restriction, or about what the host itself may reach"
        case FirewallRuleResource() if any(_about(resource, port) for port in ports):
            return "lets SSH in"
    return ""


def _place(resource: FileResource | EnvFileResource | ModelResource) -> PurePosixPath:
    return PurePosixPath(resource.home if isinstance(resource, ModelResource) else resource.name)


def _about(rule: FirewallRuleResource, port: int) -> bool:
    low, _, high = rule.port.partition(":")
    return rule.port == "any" or int(low) <= port <= int(high or low)


def left(desired: Desired[Resource], *, models: bool) -> list[Stays]:
    """What stays, kind by kind, in the order in which it is told."""
    found: dict[tuple[str, str], list[Declared[Resource]]] = {}
    projects = _projects(desired)
    for item in desired.resources.values():
        why = _why_left(desired, item, projects, models=models)
        if why and item.resource.state == "present":
            found.setdefault((item.address.kind, why), []).append(item)
    order = [*STAYS, *sorted(GOES)]
    return [
        Stays(
            kind,
            tuple(dict.fromkeys(item.address.name for item in items)),
            len({item.address.host for item in items}),
            why,
        )
        for (kind, why), items in sorted(found.items(), key=lambda entry: order.index(entry[0][0]))
    ]


def _projects(desired: Desired[Resource]) -> Mapping[str, Collection[str]]:
    """The directories of compose projects, by host."""
    found: dict[str, set[str]] = {host: set() for host in desired.hosts}
    for address, item in desired.resources.items():
        if isinstance(item.resource, ComposeServiceResource):
            found[address.host].add(item.resource.directory)
    return found


def _why_left(
    desired: Desired[Resource],
    item: Declared[Resource],
    projects: Mapping[str, Collection[str]],
    *,
    models: bool,
) -> str:
    """The reason why a resource is left; empty for what goes, and for what only looks."""
    kind, host = item.address.kind, item.address.host
    if kind in GOES or (kind == MODEL and models):
        return _stays(item.resource, {_SSH, desired.hosts[host].port}, projects[host])
    return STAYS.get(kind, "")


def gone(desired: Desired[Resource], *, models: bool) -> Desired[Resource]:
    """The wish of a cleanup: what was deployed shall be absent, and nothing else is looked at.

    A node needs every service of the cluster: as what it needs goes after it, nothing stops while it is registered.
    """
    kinds = {*GOES, *({MODEL} if models else ())}
    projects = _projects(desired)
    going = {
        address: item
        for address, item in desired.resources.items()
        if address.kind in kinds and not _why_left(desired, item, projects, models=models)
    }
    services = tuple(str(address) for address in going if address.kind == "compose-service")
    return replace(
        desired,
        resources={address: _gone(item, services) for address, item in going.items()},
        prune={},
        missing=(),
    )


def _gone(item: Declared[Resource], services: tuple[str, ...]) -> Declared[Resource]:
    update: dict[str, Any] = {"state": "absent"}
    if isinstance(item.resource, NodeResource):
        update["needs"] = (*item.resource.needs, *services)
    # A file goes whatever would be in it; the variables of an env-file must be known by name.
    withheld = "" if isinstance(item.resource, FileResource) else item.withheld
    return replace(item, resource=item.resource.model_copy(update=update), withheld=withheld)


def kinds_of(kinds: Mapping[str, Kind[Any, Any]], allowed: Collection[str]) -> Mapping[str, Kind[Any, Any]]:
    """The kinds as a cleanup sees them: who gives up the reward also takes nodes out of the epoch they are in."""
    node: Kind[Any, Any] = kinds["node"]

    def observe(state: Any, resource: NodeResource, here: Here) -> Observation:  # noqa: ANN401 (the kind's own)
        seen = node.observe(state, resource, here)
        return replace(seen, before_removal={}) if isinstance(seen, Present) else seen

    if LOST_REWARD not in allowed:
        return kinds
    return {**kinds, "node": replace(node, observe=observe, refuse=_nothing_refused)}


def _nothing_refused(state: Any, declared: Any, here: Any) -> dict[Address, str]:  # noqa: ANN401, ARG001 (every kind's signature)
    return {}
