"""The hosts of one cluster in an inventory, in the words of a cluster file that extends shared.yaml."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gonka_state.spec.checks import RESERVED, is_ip
from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.inventory_clusters import slug
from gonka_state.spec.inventory_ssh import ADDRESS, address_of, first, is_address, login_of
from gonka_state.spec.operator_values import CHECKS
from gonka_state.spec.vocabulary import is_name
from gonka_state.spec.write import in_one_line, reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.spec.inventory import Said
    from gonka_state.spec.inventory_clusters import Member, Notes
    from gonka_state.spec.inventory_models import Models
    from gonka_state.spec.problems import Problems

SHARED_HOME = "/mnt/shared"
"""Where shared.yaml keeps models."""
PLANS_OTHER_HOME = "/opt/huggingface/cache"
PUBLIC = ("public_host", "public_url")
HOME = ("hf_home",)
KEY_NAME = ("key_name",)
LOGIN = ("user", "key", "port", "proxy_jump")
PASSWORD = "keyring_password"  # noqa: S105  (a name)
PUBKEY = "account_pubkey"


def words_of(cluster: str, members: Sequence[Member], models: Models) -> dict[str, Any]:
    """A cluster file as a value; what is wrong with it goes to the problems of `models`, with its line."""
    problems, notes = models.problems, models.notes
    ordered = sorted(members, key=lambda member: member.role != NETWORK)
    names = _names(cluster, ordered, problems, notes)
    addresses = {member.listed.name: address_of(member, problems) for member in ordered}
    known = {name: (names[name], addresses[name]) for name in names}
    hosts: dict[str, dict[str, Any]] = {}
    for number, member in enumerate(ordered):
        name = member.listed.name
        model = models.of(member, number + (ordered[0].role == ML))
        hosts[names[name]] = {
            "address": addresses[name], "role": member.role, **({"model": model} if model else {}),
            **login_of(member, known, problems),
        }  # fmt: skip
    words: dict[str, Any] = {"extends": "shared.yaml", "cluster": cluster}
    ssh = _hoist(hosts)
    words |= {"ssh": ssh} if ssh else {}
    words["network"] = _network(cluster, ordered[0].said, problems, notes)
    words |= _home(ordered, problems, notes)
    words["hosts"] = {name: in_one_line(host) for name, host in hosts.items()}
    return words


def unique_addresses(clusters: Mapping[str, Sequence[Member]], problems: Problems) -> None:
    """Two hosts with one address are one host listed twice, in whatever clusters they are."""
    seen: dict[str, Member] = {}
    for member in (member for members in clusters.values() for member in members):
        said = next((member.said[name] for name in ADDRESS if name in member.said), None)
        text = said.value if said else member.listed.name
        other = seen.setdefault(text, member)
        if other is not member and is_address(text):
            at = said.source if said else member.listed.source
            of = f", the address of {other.listed.name}" if other.listed.name != text else ""
            problems.add(at, f"{text} is already in line {other.listed.source.line}{of}")


def _names(cluster: str, members: Sequence[Member], problems: Problems, notes: Notes) -> dict[str, str]:
    """What each host is called: as in the inventory where that is possible, else by its role."""
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    number = 0
    for member in members:
        number += member.role == ML
        listed = member.listed
        own = f"{cluster}-network" if member.role == NETWORK else f"{cluster}-ml-{number:02}"
        made = own if is_ip(listed.name) else slug(listed.name)
        if made in {NETWORK, ML, *RESERVED}:
            made = f"{cluster}-{made}"
        if not is_name(made):
            problems.add(
                listed.source,
                f"{listed.name[:80]!r} cannot be a host's name: that is a-z, 0-9 and inner hyphens",
            )
        elif made in taken:
            problems.add(listed.source, f"{listed.name} would be called {made}, as {taken[made]} is already")
        elif listed.name in {NETWORK, ML, *RESERVED}:
            notes.add(
                listed.source, f"{listed.name} is called {made}: {listed.name} is a word of the cluster file"
            )
        elif made != listed.name and not is_ip(listed.name):
            notes.add(listed.source, f"{listed.name} is called {made}: names have a-z, 0-9 and inner hyphens")
        taken[made] = listed.name
        names[listed.name] = made
    return names


def _hoist(hosts: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What all hosts say alike of how to log in, said once."""
    ssh: dict[str, Any] = {}
    for word in LOGIN:
        values = [host.get(word) for host in hosts.values()]
        if values[0] is not None and all(value == values[0] for value in values):
            ssh[word] = values[0]
            for host in hosts.values():
                del host[word]
    return ssh


def _network(cluster: str, said: Mapping[str, Said], problems: Problems, notes: Notes) -> dict[str, Any]:
    public = first(said, PUBLIC, problems)
    host = _host_of(public.value) if public else ""
    pubkey = first(said, (f"{cluster}_{PUBKEY}".replace("-", "_"), PUBKEY), problems)
    for given, word, value in (
        (public, "public_host", host),
        (pubkey, "account.pubkey", pubkey and pubkey.value),
    ):
        if given and CHECKS[word](value or ""):
            what = (
                "not taken over, no usable value: the file asks for {env: …} (docs/deviations.md #7, #9, #11)"
            )
            notes.add(given.source, what, word)
    for name in (f"{cluster}_{PASSWORD}".replace("-", "_"), PASSWORD):
        if name in said:
            env = reference(cluster, "KEYRING_PASSWORD")["env"]
            notes.add(
                said[name].source,
                f"a secret, and not copied: the file of {cluster} reads it from {env}",
                name,
            )
    key = first(said, KEY_NAME, problems)
    usable = key is not None and re.fullmatch(r"[A-Za-z0-9._-]+", key.value)
    if key is not None and not usable:
        problems.add(
            key.source, f"{key.value[:80]!r} is no key's name: letters, digits, dots, hyphens and underscores"
        )
    return {
        "public_host": host if host and not CHECKS["public_host"](host) else _asked(cluster, "PUBLIC_HOST"),
        "account": {
            "pubkey": pubkey.value if pubkey and not CHECKS["account.pubkey"](pubkey.value)
            else _asked(cluster, "ACCOUNT_PUBKEY"),
            "key_name": f"gonka-account-key-{cluster}",
        },
        "ml_key_name": key.value if key is not None and usable else "gonka-ml-key",
        "keyring_password": _asked(cluster, "KEYRING_PASSWORD"),
    }  # fmt: skip


def _asked(cluster: str, name: str) -> Mapping[str, Any]:
    return in_one_line(reference(cluster, name))


def _host_of(text: str) -> str:
    """The host in a URL, or the text where it is none."""
    if "://" not in text:
        return text
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""


def _home(members: Sequence[Member], problems: Problems, notes: Notes) -> dict[str, Any]:
    """Another HF_HOME than shared.yaml's. It is one per cluster."""
    found = {said.value: said for member in members if (said := first(member.said, HOME, problems))}
    if len(found) > 1:
        said = list(found.values())[1]
        problems.add(said.source, "hf_home differs from that of other hosts; a cluster has one hub.home")
    for home, said in found.items():
        if home == PLANS_OTHER_HOME:
            notes.add(
                said.source,
                f"hf_home {home} is not taken over: models are in {SHARED_HOME} (docs/deviations.md #45)",
            )
        elif not re.fullmatch(r"/[^\s\x00-\x1f]*", home):
            problems.add(said.source, "hf_home is no absolute path")
        elif home != SHARED_HOME:
            notes.add(
                said.source, f"hf_home: the requirements of disks in shared.yaml still look at {SHARED_HOME}"
            )
            directory = {"directories": {home: in_one_line({"mode": "0755"})}}
            return {"hub": {"home": home}, "roles": {NETWORK: directory, ML: directory}}
    return {}
