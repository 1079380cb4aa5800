"""Which host of an inventory is what, in which cluster: by the deployment plan's names of groups."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.inventory import EVERYBODY, UNGROUPED
from gonka_state.spec.problems import did_you_mean
from gonka_state.spec.vocabulary import is_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.desired import Source
    from gonka_state.spec.inventory import Inventory, Listed, Said
    from gonka_state.spec.problems import Problems

FIRST = "cluster1"
"""What a cluster is called that nobody names, as in the plan."""
SHOWN = 3

_SAYS_ROLE = re.compile(r"(?:(?P<cluster>.+)[_-])?(?:(?P<network>network)|ml)[_-]nodes?", re.IGNORECASE)
_SAYS_CLUSTER = re.compile(r"cluster[0-9]+", re.IGNORECASE)  # how the plan's templates find it, line 631


@dataclass(slots=True)
class Notes:
    """What an operator should know of that is no mistake, each with its lines."""

    _found: dict[str, dict[tuple[str, int, str], None]] = field(default_factory=dict)

    def add(self, at: Source, text: str, name: str = "") -> None:
        """Say one thing about a line, or about a name in it; what is said of several is rendered as one."""
        self._found.setdefault(text, {})[at.file, at.line, name] = None

    def rendered(self) -> list[str]:
        """All of them as `file:line[, line]: [name[, name]: ]text`, in the order of lines."""
        told = sorted((sorted(places), text) for text, places in self._found.items())
        return [_told(places, text) for places, text in told]


def _told(places: Sequence[tuple[str, int, str]], text: str) -> str:
    file = places[0][0]
    lines = ", ".join(dict.fromkeys(_line(place, file) for place in places))
    names = ", ".join(dict.fromkeys(name for *_, name in places if name))
    return ": ".join(filter(None, (f"{file}:{lines}" if lines else file, names, text)))


def _line(place: tuple[str, int, str], file: str) -> str:
    own, line, _ = place
    return (str(line) if line else "") if own == file else f"{own}:{line}"


@dataclass(frozen=True, slots=True)
class Member:
    """A host of a cluster: its line, its role, and everything said about it by lower-case name."""

    listed: Listed
    role: str
    said: Mapping[str, Said]


def slug(text: str) -> str:
    """The nearest name of a-z, 0-9 and inner hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


@dataclass(frozen=True, slots=True)
class Clusters:
    """Sorts an inventory's hosts; `wanted` is a cluster, or the name of the one that no group names."""

    inventory: Inventory
    wanted: str
    problems: Problems
    notes: Notes

    def members(self) -> dict[str, list[Member]]:
        """Every cluster's hosts in the order of the file, without the machine that Ansible runs on."""
        found: dict[str, list[Member]] = {}
        lost: dict[str, list[str]] = {}
        for name, listed in self.inventory.hosts.items():
            said = self.inventory.variables_of(name)
            if "ansible_connection" in said and said["ansible_connection"].value == "local":
                self.notes.add(listed.source, "the machine that Ansible runs on, and in no cluster", name)
                continue
            groups = [group for group in self.inventory.groups_of(name) if _SAYS_ROLE.fullmatch(group)]
            roles = {_role(group) for group in groups}
            if len(roles) == 1:
                member = Member(listed, roles.pop(), said)
                found.setdefault(self._cluster(member, groups), []).append(member)
            elif roles:
                what = f"{name} is a network node by one group and an ML node by another: {', '.join(groups)}"
                self.problems.add(listed.source, what)
            else:
                for group in self.inventory.direct_groups_of(name):
                    lost.setdefault(group, []).append(name)
        for group, hosts in lost.items():
            self._say_lost(group, hosts)
        return self._chosen(found)

    def _cluster(self, member: Member, groups: list[str]) -> str:
        """The cluster that the nearest groups name; else one called clusterN; else what the operator says."""
        name = member.listed.name
        nearest = [one for one in groups if not set(groups) & set(self.inventory.groups[one].children)]
        names = {match["cluster"] for one in nearest if (match := _SAYS_ROLE.fullmatch(one))} - {None}
        names = names or {one for one in self.inventory.groups_of(name) if _SAYS_CLUSTER.fullmatch(one)}
        if len(names) > 1:
            what = f"{name} is in several clusters: {', '.join(sorted(names))}"
            hint = "leave it in the groups of one; every cluster has hosts of its own"
            self.problems.add(member.listed.source, what, hint)
        if names:
            return self._usable(min(names), member.listed.source)
        said = member.said.get("cluster_name")
        if not self.wanted and said is not None and "{{" not in said.value:
            return self._usable(said.value, said.source)
        if not self.wanted:
            what = f"no group names the cluster: it is called {FIRST}; --cluster gives another name"
            self.notes.add(self.inventory.start, what)
        return self.wanted or FIRST

    def _usable(self, name: str, at: Source) -> str:
        made = slug(name)
        if not is_name(made):
            what = f"{name[:80]!r} cannot be a cluster's name: that is a-z, 0-9 and inner hyphens"
            self.problems.add(at, what)
        return made

    def _say_lost(self, name: str, hosts: Sequence[str]) -> None:
        more = f" and {len(hosts) - SHOWN} more" if len(hosts) > SHOWN else ""
        where = "in no group" if name in {UNGROUPED, EVERYBODY} else f"[{name}] says no role"
        choices = {"network_node", "ml_nodes"}
        for group in self.inventory.groups:
            match = _SAYS_ROLE.fullmatch(group)
            for cluster in filter(None, (group, match["cluster"] if match else "")):
                choices |= {f"{cluster}_network_node", f"{cluster}_ml_nodes"}
        hint = "groups of a role: network_node, ml_nodes, CLUSTER_network_node, CLUSTER_ml_nodes"
        what = f"{', '.join(hosts[:SHOWN])}{more}: {where}"
        self.problems.add(self.inventory.groups[name].source, what, did_you_mean(name, choices) or hint)

    def _chosen(self, found: dict[str, list[Member]]) -> dict[str, list[Member]]:
        if self.wanted and found and self.wanted not in found:
            what = f"there is no cluster {self.wanted!r}; there are {', '.join(sorted(found))}"
            self.problems.add(self.inventory.file, what, did_you_mean(self.wanted, found))
        chosen = {name: members for name, members in found.items() if self.wanted in {"", name}}
        for name, members in chosen.items():
            self._one_network_node(name, members)
        if not found and not self.problems:
            self.problems.add(self.inventory.file, "names no host of a cluster")
        return chosen

    def _one_network_node(self, cluster: str, members: Sequence[Member]) -> None:
        network = [member.listed for member in members if member.role == NETWORK]
        if not network and not self.problems:  # else its line may be the one that could not be read
            hint = f"put one host into [{cluster.replace('-', '_')}_network_node]"
            what = f"{cluster} has ML nodes and no network node"
            self.problems.add(members[0].listed.source, what, hint)
        for other in network[1:]:
            one = f"{network[0].name} (line {network[0].source.line})"
            what = f"{cluster} has two network nodes: {one} and {other.name}"
            hint = "a cluster has one; two clusters need groups of their own (docs/deviations.md #3)"
            self.problems.add(other.source, what, hint)


def _role(group: str) -> str:
    match = _SAYS_ROLE.fullmatch(group)
    return NETWORK if match and match["network"] else ML
