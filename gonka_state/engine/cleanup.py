"""What `cleanup` takes away and what it leaves: the same resources, those that go declared absent.

From there it is a converge like any other: plan, order (what is removed goes before what it needed), gates, second look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from gonka_state.core.change import Action, Change
from gonka_state.core.observation import Present
from gonka_state.core.units import show_moment
from gonka_state.facts import participation
from gonka_state.facts.node_observed import API
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
    from gonka_state.facts.participation import Participation
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource

LOST_REWARD = "lost-reward"
"""What `--allow` must name before a cluster stops that takes part in an epoch, or has a reward to claim."""

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
}
"""Kinds of what is left, with the reason that is printed."""

LOOKS: frozenset[str] = frozenset(
    {"account", "binary", "chain-sync", "exposure", "keyring", "requirement", "setup-report"}
)
"""Kinds that only look: nothing of them is on a host."""

_DATA = frozenset({".inference", ".tmkms", ".dapi"})
_SSH = 22
_HINT = f"""who gives the reward up: --allow {LOST_REWARD}
a reward that is not claimed by itself is claimed on the network host with
curl -X POST http://127.0.0.1:9200/admin/v1/claim-reward/recover -H 'Content-Type: application/json' -d '{{"force_claim": true}}'"""
_BLOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Stays:
    """What is left of one kind, on how many hosts, and why."""

    kind: str
    names: tuple[str, ...]
    hosts: int
    why: str


def _stays(resource: Resource, ports: Collection[int]) -> str:
    """Why one resource is left; empty where it goes."""
    match resource:
        case FileResource() | EnvFileResource() | ModelResource() if _DATA & set(_place(resource).parts):
            return "in .inference, .tmkms or .dapi, of which nothing is ever deleted"
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
    for item in desired.resources.values():
        why = _why_left(desired, item, models=models)
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


def _why_left(desired: Desired[Resource], item: Declared[Resource], *, models: bool) -> str:
    """The reason why a resource is left; empty for what goes, and for what only looks."""
    kind = item.address.kind
    if kind in GOES or (kind == MODEL and models):
        return _stays(item.resource, {_SSH, desired.hosts[item.address.host].port})
    return STAYS.get(kind, "")


def gone(desired: Desired[Resource], *, models: bool) -> Desired[Resource]:
    """The wish of a cleanup: what was deployed shall be absent, and nothing else is looked at.

    A node needs every service of the cluster: as what it needs goes after it, nothing stops while it is registered.
    """
    kinds = {*GOES, *({MODEL} if models else ())}
    going = {
        address: item
        for address, item in desired.resources.items()
        if address.kind in kinds and not _why_left(desired, item, models=models)
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


@dataclass(frozen=True, slots=True)
class Waiting:
    """Holds back what runs while the cluster takes part in an epoch, or has a reward to claim."""

    desired: Desired[Resource]
    allowed: Collection[str] = ()

    def amend(self, snapshot: Snapshot, changes: Mapping[Address, Change]) -> Mapping[Address, Change]:
        """The changes: services held where it is too early, nodes done with where their API is gone."""
        found = {**changes, **_without_api(changes)}
        why = self.why(snapshot)
        held = {
            address: replace(change, held=why)
            for address, change in found.items()
            if why and address.kind == "compose-service" and change.pending and not change.held
        }
        first = next((address for address in held if address.name == API), next(iter(held), None))
        if first is not None:
            held[first] = replace(held[first], hint=_HINT)
        return {**found, **held}

    def why(self, snapshot: Snapshot) -> str:
        """Until when what runs has to stay, in words; empty where it may go."""
        source = self.desired.chain
        if source is None or LOST_REWARD in self.allowed:
            return ""
        now = datetime.fromisoformat(snapshot.taken).timestamp()
        return too_early(participation.read(snapshot.hosts.get(source.host)), now)


def _without_api(changes: Mapping[Address, Change]) -> dict[Address, Change]:
    """Nobody can be asked about nodes whose API has no container any more: nobody serves them either."""
    away = {
        address.host
        for address, change in changes.items()
        if (address.kind, address.name) == ("compose-service", API) and change.action is Action.NONE
    }
    return {
        address: replace(change, action=Action.NONE, reason="", hint="")
        for address, change in changes.items()
        if address.kind == "node" and address.host in away and change.action is Action.UNKNOWN
    }


def too_early(part: Participation, now: float) -> str:
    """Why a cluster must not stop yet, and when to run this again; empty where nothing would be lost."""
    if part.problem:
        return f"nobody knows whether a reward would be lost: {part.problem}"
    if part.nodes:
        return (
            f"takes part in epoch {part.epoch} until block {part.ends}, and its reward is claimed after block"
            f" {part.claims_next}: run this again then, {_about_when(part, part.claims_next, now)}"
        )
    if part.claimed:
        return ""
    waiting = f"the reward of epoch {part.epoch - 1} is not claimed"
    if part.height <= part.claims:
        when = _about_when(part, part.claims, now)
        return f"{waiting} before block {part.claims}: run this again then, {when}"
    return f"{waiting} although the API should have done it after block {part.claims}"


def _about_when(part: Participation, block: int, now: float) -> str:
    return f"about {show_moment(now + (block - part.height) * _BLOCK_SECONDS)}"
