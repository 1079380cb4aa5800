"""What an Ansible inventory says: hosts, groups and variables, each with its line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core.desired import Source
from gonka_state.core.masking import suspicious

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERYBODY = "all"
UNGROUPED = "ungrouped"
DEEPEST = 20
_OTHERWISE_SECRET = re.compile(r"pass|pwd", re.IGNORECASE)
_KEY_FILE = re.compile(r"(?:ansible_(?:ssh_)?)?private_key_file|ssh_key_path", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """True for a variable whose value is never shown. The path of a key file is none."""
    return not _KEY_FILE.fullmatch(name) and bool(_OTHERWISE_SECRET.search(name) or suspicious(name))


@dataclass(frozen=True, slots=True)
class Said:
    """A variable's value, and where it was said."""

    value: str
    source: Source


@dataclass(slots=True)
class Listed:
    """One host. `comment` is what stands behind it; `broken` is one whose line could not be read whole."""

    name: str
    source: Source
    comment: str = ""
    broken: bool = False
    variables: dict[str, Said] = field(default_factory=dict)


@dataclass(slots=True)
class Group:
    """A group: its hosts, and the groups in it with the lines that put them there."""

    name: str
    source: Source
    hosts: dict[str, None] = field(default_factory=dict)
    children: dict[str, Source] = field(default_factory=dict)
    variables: dict[str, Said] = field(default_factory=dict)


@dataclass(slots=True)
class Inventory:
    """A whole inventory. `settings` are those of ansible.cfg, from sections of its names."""

    file: str
    hosts: dict[str, Listed] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    settings: dict[str, Said] = field(default_factory=dict)
    _above: dict[str, list[str]] = field(default_factory=dict)
    _depths: dict[str, int] = field(default_factory=dict)

    @property
    def start(self) -> Source:
        """The file as a whole."""
        return Source(self.file, 0)

    def direct_groups_of(self, host: str) -> list[str]:
        """The groups under whose headings a host stands."""
        return [name for name, group in self.groups.items() if host in group.hosts]

    def groups_of(self, host: str) -> list[str]:
        """The groups that a host is in, also through others, the nearest last (as variables are overlaid)."""
        found: set[str] = set()
        waiting = self.direct_groups_of(host)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self._above.get(name, ())
        return sorted(found, key=lambda name: (name != EVERYBODY, self._depths[name], name))

    def arrange(self) -> None:
        """Work out which group is in which; to be called once all are known."""
        self._depths |= dict.fromkeys(self.groups, 0)
        for name, group in self.groups.items():
            for child in group.children:
                self._above.setdefault(child, []).append(name)
        for _ in range(DEEPEST):  # a circle, which Ansible refuses, ends here too
            for child, above in self._above.items():
                self._depths[child] = min(DEEPEST, 1 + max(self._depths[name] for name in above))

    def variables_of(self, host: str) -> dict[str, Said]:
        """Everything said about a host, by lower-case name; what is nearer to it wins, as in Ansible."""
        everybody = [self.groups[EVERYBODY].variables] if EVERYBODY in self.groups else []
        nearer = [self.groups[name].variables for name in self.groups_of(host) if name != EVERYBODY]
        found: dict[str, Said] = {}
        for layer in (self.settings, *everybody, *nearer, self.hosts[host].variables):
            found |= {name.lower(): said for name, said in layer.items()}
        return found

    def everything_said(self) -> Iterator[tuple[str, Said]]:
        """Every variable and setting, wherever it stands."""
        yield from self.settings.items()
        for group in self.groups.values():
            yield from group.variables.items()
        for host in self.hosts.values():
            yield from host.variables.items()
