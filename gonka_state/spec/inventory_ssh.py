"""How an inventory says that its hosts are reached, in the words of a cluster file."""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import TYPE_CHECKING, Any

from gonka_state.spec.checks import is_host, is_ip
from gonka_state.spec.layers import beside
from gonka_state.spec.logins import HOP
from gonka_state.spec.vocabulary import LAST_PORT, is_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gonka_state.spec.inventory import Said
    from gonka_state.spec.inventory_clusters import Member
    from gonka_state.spec.problems import Problems

ADDRESS = ("ansible_host", "ansible_ssh_host")
USER = ("ansible_user", "ansible_ssh_user", "remote_user")
PORT = ("ansible_port", "ansible_ssh_port", "remote_port")
KEY = ("ansible_ssh_private_key_file", "ansible_private_key_file", "private_key_file", "ssh_key_path")
ARGUMENTS = ("ansible_ssh_common_args", "ansible_ssh_extra_args", "ansible_ssh_args", "ssh_args")
_TAKES_A_VALUE = "-o", "-J", "-i", "-F", "-l", "-p"


def first(said: Mapping[str, Said], names: tuple[str, ...], problems: Problems) -> Said | None:
    """The first of these that is said; a template of Ansible's is a problem, because it has no value here."""
    found = next((said[name] for name in names if name in said and said[name].value), None)
    if found is not None and "{{" in found.value:
        name = next(name for name in names if name in said)
        problems.add(found.source, f"{name} is a template of Ansible's; write its value here")
        return None
    return found


def is_address(text: str) -> bool:
    """True for the IPv4 address of one host: URLs of nodes and of the callback are HOST:PORT."""
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return not (address.is_unspecified or address.is_multicast)


def address_of(member: Member, problems: Problems) -> str:
    """The address of a host; a name is a problem, since the rules of firewalls need addresses."""
    found = first(member.said, ADDRESS, problems)
    if member.listed.broken or (found is None and any(name in member.said for name in ADDRESS)):
        return found.value if found else ""
    text, at = (found.value, found.source) if found else (member.listed.name, member.listed.source)
    if is_address(text):
        return text
    if is_host(text) and not is_ip(text):
        what = "expected an IP address, found a name: firewall rules need addresses"
        problems.add(at, what, "ansible_host=ADDRESS behind the host's name")
    else:
        problems.add(at, f"{text[:80]!r} is no IPv4 address of a host")
    return text


def login_of(member: Member, known: Mapping[str, tuple[str, str]], problems: Problems) -> dict[str, Any]:
    """`user`, `port`, `key` and `proxy_jump` of one host, as far as the inventory says them.

    `known` has the cluster's hosts by the inventory's names: their names in the cluster file, and addresses.
    """
    words: dict[str, Any] = {}
    user = first(member.said, USER, problems)
    if user is not None:
        words["user"] = user.value
        if not is_user(user.value):
            problems.add(user.source, f"{user.value[:80]!r} is no user's name")
    port = first(member.said, PORT, problems)
    if port is not None:
        if re.fullmatch(r"[0-9]{1,5}", port.value) and 1 <= int(port.value) <= LAST_PORT:
            words["port"] = int(port.value)
        else:
            problems.add(port.source, f"{port.value[:80]!r} is no port from 1 to {LAST_PORT}")
    key = first(member.said, KEY, problems)
    if key is not None:
        words["key"] = _as_written(key, problems)
    words |= _jump(member.said, known, problems)
    return words


def _as_written(path: Said, problems: Problems) -> str:
    """A path as it stands where it means the same from everywhere, else absolute from the inventory."""
    try:
        absolute = str(beside(path.source, path.value, {}))
    except ValueError as error:
        problems.add(path.source, str(error))
        return path.value
    return path.value if path.value.startswith(("~", "/")) else absolute


def _jump(
    said: Mapping[str, Said], known: Mapping[str, tuple[str, str]], problems: Problems
) -> dict[str, Any]:
    for name in ARGUMENTS:
        arguments = first(said, (name,), problems)
        if arguments is None:
            continue
        for option, value in options(arguments.value):
            hops = _hops(option, value)
            if hops is None:
                continue
            if not all(_usable(hop) for hop in hops):
                what = f"the jump host in {name} is not [USER@]HOST[:PORT]"
                problems.add(arguments.source, what, "add proxy_jump to the cluster file instead")
                return {}
            return {"proxy_jump": [_placed(hop, known) for hop in hops]}
    return {}


def options(arguments: str) -> Iterator[tuple[str, str]]:
    """The options of an ssh command line, those of `-o` by lower-case name; what is no option is passed over."""
    try:
        words = iter(shlex.split(arguments))
    except ValueError:
        return
    for word in words:
        if not word.startswith("-"):
            continue
        flag, value = word[:2], word[2:]
        if flag in _TAKES_A_VALUE and not value:
            value = next(words, "")
        if flag == "-o":
            name, _, value = (
                value.replace(" ", "=", 1).partition("=") if "=" not in value else value.partition("=")
            )
            yield name.strip().lower(), value.strip()
        else:
            yield flag, value


def _hops(option: str, value: str) -> list[str] | None:
    if option in {"proxyjump", "-J"}:
        return [] if value == "none" else [hop.removeprefix("ssh://") for hop in value.split(",")]
    return _by_command(value) if option == "proxycommand" else None


def _by_command(command: str) -> list[str]:
    """The hop of `ssh -W %h:%p [-q] [-p PORT] [USER@]HOST`; of any other command one that is not usable."""
    try:
        program, *words = shlex.split(command) or [""]
    except ValueError:
        return [""]
    text = " ".join(words)
    found = re.fullmatch(r"(.*)-W ?%h:%p(.*)", text)
    rest = f"{found[1]} {found[2]}" if found and program == "ssh" else "-"
    port = re.search(r"(?:^|\s)-p ?([0-9]+)(?=\s|$)", rest)
    if port:
        rest = rest.replace(port[0], " ", 1)
    hop = re.sub(r"(?:^|\s)-q(?=\s|$)", " ", rest).strip()
    return [f"{hop}:{port[1]}" if port else hop]


def _placed(hop: str, known: Mapping[str, tuple[str, str]]) -> str:
    """A hop that is a host of the cluster by its name there, or by its address where a user stands before it."""
    if hop in known:
        return known[hop][0]
    user, _, host = hop.rpartition("@")
    name, colon, port = host.partition(":")
    return f"{user}@{known[name][1]}{colon}{port}" if user and name in known else hop


def _usable(hop: str) -> bool:
    parts = HOP.fullmatch(hop)
    return (
        parts is not None and is_host(parts["v6"] or parts["host"]) and int(parts["port"] or 1) <= LAST_PORT
    )
