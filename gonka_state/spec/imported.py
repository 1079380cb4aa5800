"""An Ansible inventory, or a list of addresses, as cluster files."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.core.desired import Source
from gonka_state.spec.checks import entries
from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.inventory import Listed, Said
from gonka_state.spec.inventory_clusters import FIRST, Clusters, Member, Notes
from gonka_state.spec.inventory_models import LARGE, SMALL, Models
from gonka_state.spec.inventory_parse import masked, parse, parse_config
from gonka_state.spec.inventory_remarks import remark
from gonka_state.spec.inventory_ssh import is_address
from gonka_state.spec.inventory_words import unique_addresses, words_of
from gonka_state.spec.problems import Problems
from gonka_state.spec.tree import read, read_text
from gonka_state.spec.vocabulary import is_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

BESIDE = ("group_vars", "host_vars")
CONFIG_FILE = "ansible.cfg"


@dataclass(slots=True)
class Imported:
    """Cluster files as values, by cluster; `notes` tell what was not taken over, and what was chosen."""

    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def models_of(shared: Path | None) -> Collection[str]:
    """The models that a shared file declares; those of the plan where there is none to read."""
    tree = read(shared, str(shared), Problems()) if shared else None
    return entries(tree, "models") if tree else (LARGE, SMALL)


def from_inventory(path: Path, config: Path | None, cluster: str, known: Collection[str]) -> Imported:
    """Every cluster of an inventory, or the one that is named. `known` are the models that exist.

    Raises:
        InputError: everything that is wrong or cannot be decided, as `file:line:column: what`.
    """
    problems, notes = Problems(), Notes()
    text = read_text(path, str(path), problems, "inventory")
    problems.check()
    inventory = parse(text or "", str(path), problems)
    if config is not None:
        more = read_text(config, str(config), problems, CONFIG_FILE)
        inventory.settings = parse_config(more or "", str(config), problems) | inventory.settings
    clusters = Clusters(inventory, cluster, problems, notes).members()
    remark(inventory, notes)
    _say_unread(path, config, notes)
    return _written(clusters, Models(known, problems, notes))


def from_addresses(path: Path, cluster: str, known: Collection[str]) -> Imported:
    """One cluster from a list: an address in each line, the first that of the network node.

    A name may stand beside the address; behind `#` is a comment.

    Raises:
        InputError: everything that is wrong, as `file:line:column: what`.
    """
    problems, notes = Problems(), Notes()
    text = read_text(path, str(path), problems, "list of addresses") or ""
    lines = re.split(r"\r\n|\r|\n", text)
    problems.register(str(path), "\n".join(map(masked, lines)))
    members: list[Member] = []
    for number, line in enumerate(lines, 1):
        said, _, comment = line.partition("#")
        if said.strip():
            role = ML if members else NETWORK
            member = _listed(said, comment.strip(), role, Source(str(path), number, 1), problems)
            members += [member] if member else []
    if not members and not problems:
        problems.add(str(path), "holds no address")
    if not cluster:
        notes.add(Source(str(path), 0), f"the cluster is called {FIRST}; --cluster gives another name")
    return _written({cluster or FIRST: members}, Models(known, problems, notes))


def _listed(said: str, comment: str, role: str, at: Source, problems: Problems) -> Member | None:
    words = re.split(r"[\s=]+", said.strip())
    addresses = [word for word in words if is_address(word)]
    names = [word for word in words if word not in addresses]
    wrong = next((word for word in names if re.fullmatch(r"[0-9.,/-]+|.*[:,/].*", word)), "")
    if wrong or len(addresses) != 1 or len(names) > 1:
        what = (
            f"{wrong[:80]!r} is no IPv4 address of a host"
            if wrong
            else "expected one IP address in this line"
        )
        problems.add(at, what, "a line is ADDRESS, or a name and ADDRESS; comments begin with #")
        return None
    name = names[0] if names else addresses[0]
    if names and not is_name(name):
        problems.add(at, f"{name[:80]!r} cannot be a host's name: that is a-z, 0-9 and inner hyphens")
        return None
    variables = {"ansible_host": Said(addresses[0], at)}
    return Member(Listed(name, at, comment, variables=variables), role, variables)


def _written(clusters: Mapping[str, Sequence[Member]], models: Models) -> Imported:
    unique_addresses(clusters, models.problems)
    found = {name: words_of(name, members, models) for name, members in clusters.items() if members}
    models.problems.check()
    return Imported(found, models.notes.rendered())


def _say_unread(path: Path, config: Path | None, notes: Notes) -> None:
    """Files beside an inventory that Ansible reads by itself."""
    for name in BESIDE:
        if (path.parent / name).is_dir():
            notes.add(Source(str(path.parent / name), 0), "is not read: put what it says into the inventory")
    beside = path.parent / CONFIG_FILE
    if config is None and beside.is_file():
        notes.add(Source(str(beside), 0), f"is not read unless you say --config {beside}")
