"""The values that go into a lab and come out of it: plain, frozen, serialisable."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from gonka_state.errors import LabError

if TYPE_CHECKING:
    from pathlib import Path

Say = Callable[[str], None]
"""Where progress goes: one finished sentence per call."""

FIRST_HOST = 11
ROOT_END = 254
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,30}")


@dataclass(frozen=True)
class LabHost:
    """One host to boot."""

    name: str
    role: Literal["network", "ml"]


@dataclass(frozen=True)
class LabSpec:
    """What to boot: the hosts of one cluster, its login user and the models its hub offers.

    `account` is the name of the account (cold) key, which the lab makes on the operator's side; empty for none.
    """

    cluster: str
    user: str
    hosts: tuple[LabHost, ...]
    models: Mapping[str, str]
    account: str = ""

    def __post_init__(self) -> None:
        names = [host.name for host in self.hosts]
        for name in (self.cluster, *names):
            if not _NAME.fullmatch(name):
                raise LabError(f"{name!r} cannot be a host name", hint="use a-z, 0-9 and inner hyphens")
        if not _USER.fullmatch(self.user):
            raise LabError(f"{self.user!r} cannot be a login user")
        if not names or len(set(names)) != len(names) or len(names) > ROOT_END - FIRST_HOST:
            raise LabError("a lab needs 1 to 243 hosts, each with a name of its own")

    @property
    def entrance(self) -> LabHost:
        """The host that answers for the cluster: the network host, else the first."""
        return next((host for host in self.hosts if host.role == "network"), self.hosts[0])


@dataclass(frozen=True)
class LabInfo:
    """What an operator or a test needs to use a running lab."""

    cluster: str
    overlay: Path
    hosts: Mapping[str, str]
    key: Path
    known_hosts: Path
    user: str
    hub_url: str
    git_url: str
    git_ref: str
    packages_url: str
    hub_control: Path
    seed_url: str
    seed_state: Path
    inferenced: Path

    def ssh(self, host: str) -> list[str]:
        """The argument list that logs in to `host`."""
        return [
            "ssh", "-F", "/dev/null", "-i", str(self.key), "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes",
            "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", f"{self.user}@{self.hosts[host]}",
        ]  # fmt: skip


@dataclass(frozen=True)
class HostStatus:
    """How one lab host is doing."""

    cluster: str
    name: str
    address: str
    pid: int | None
    up: bool
    ssh: bool


@dataclass(frozen=True)
class Plan:
    """The addresses of a lab, derived from its subnet alone."""

    subnet: ipaddress.IPv4Network

    @classmethod
    def parse(cls, text: str) -> Plan:
        """Read a /24 as the command line gives it.

        Raises:
            LabError: `text` is not a /24 network.
        """
        try:
            subnet = ipaddress.IPv4Network(text)
        except ValueError as error:
            raise LabError(f"{text!r} is not a subnet: {error}", hint="for example 10.77.0.0/24") from None
        if subnet.prefixlen != 24:  # noqa: PLR2004  (the last octet numbers the hosts)
            raise LabError(f"a lab needs a /24, not {text}", hint="for example 10.77.0.0/24")
        return cls(subnet)

    def v4(self, last: int) -> str:
        """The IPv4 address with this last octet."""
        return str(self.subnet[last])

    def v6(self, last: int) -> str:
        """The unique local IPv6 address that mirrors the IPv4 one, digit by digit."""
        a, b, c, _ = str(self.subnet.network_address).split(".")
        return f"fd77:{a}:{b}:{c}::{last}"

    @property
    def services(self) -> str:
        """Where registry, git and hub listen."""
        return self.v4(1)


def tag(cluster: str) -> str:
    """Six characters that stand for a cluster where the kernel allows few (interface names)."""
    return hashlib.sha256(cluster.encode()).hexdigest()[:6]
