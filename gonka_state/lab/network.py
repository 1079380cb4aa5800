"""The lab's network: a bridge in a namespace of its own, one namespace per host, one way in.

The bridge must not live in the machine's own namespace: dockerd in a lab host switches
bridge-nf-call-iptables on there, and a machine with its own Docker would then drop lab traffic.
"""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.errors import LabError
from gonka_state.lab.shell import run
from gonka_state.lab.spec import FIRST_HOST, ROOT_END, Plan, tag

if TYPE_CHECKING:
    from collections.abc import Iterable

NETNS = Path("/run/netns")
BRIDGE = "br0"


@dataclass(frozen=True)
class Network:
    """The names and addresses of one lab's network."""

    cluster: str
    plan: Plan

    @property
    def prefix(self) -> str:
        """What every namespace of this lab starts with."""
        return f"glab-{tag(self.cluster)}."

    @property
    def bridge(self) -> str:
        """The namespace that holds the bridge and the services."""
        return f"{self.prefix}bridge"

    @property
    def door(self) -> str:
        """The interface in the machine's own namespace that leads into the lab."""
        return f"glab{tag(self.cluster)}"

    def host(self, name: str) -> str:
        """The namespace of one host."""
        return f"{self.prefix}host.{name}"


def inside(namespace: str) -> list[str]:
    """The words that run a program in a network namespace and leave its mounts alone."""
    return ["nsenter", f"--net={NETNS / namespace}"]


def port(index: int) -> str:
    """The bridge's port of the host with this index."""
    return f"h{FIRST_HOST + index}"


def refuse_overlap(plan: Plan) -> None:
    """Make sure that no route of this machine leads into the lab's subnet already.

    Raises:
        LabError: one does.
    """
    for route in json.loads(run(["ip", "-json", "route", "show", "table", "all"]).stdout or "[]"):
        target = str(route.get("dst", ""))
        if target[:1].isdigit() and ipaddress.ip_network(target, strict=False).overlaps(plan.subnet):
            raise LabError(
                f"{plan.subnet} is in use on this machine: a route to {target} by {route.get('dev', '?')}",
                hint="choose a free /24 with --subnet",
            )


def create(network: Network, hosts: Iterable[str]) -> None:
    """Make the bridge's namespace, the way in, and a connected namespace per host."""
    plan, space = network.plan, network.bridge
    run(["ip", "netns", "add", space])
    _batch(space, [
        "link set lo up",
        f"link add {BRIDGE} type bridge stp_state 0 forward_delay 0",
        f"addr add {plan.v4(1)}/24 dev {BRIDGE}",
        f"addr add {plan.v6(1)}/64 dev {BRIDGE} nodad",
        f"link set {BRIDGE} up",
        # with forwarding on, a packet for the world is answered at once instead of lost in silence
        "route add unreachable default",
        "route add unreachable ::/0",
    ])  # fmt: skip
    _sysctl(space, "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")
    run(["ip", "link", "add", network.door, "type", "veth", "peer", "name", "door", "netns", space])
    _batch(space, [f"link set door master {BRIDGE} up"])
    run(["ip", "addr", "add", f"{plan.v4(ROOT_END)}/24", "dev", network.door])
    # a machine may have IPv6 switched off for itself; the hosts have it all the same
    run(["ip", "addr", "add", f"{plan.v6(ROOT_END)}/64", "dev", network.door, "nodad"], check=False)
    run(["ip", "link", "set", network.door, "up"])
    for index, name in enumerate(hosts):
        _connect(network, index, name)


def _connect(network: Network, index: int, name: str) -> None:
    plan, space, own, last = network.plan, network.bridge, network.host(name), FIRST_HOST + index
    run(["ip", "netns", "add", own])
    _batch(space, [
        f"link add {port(index)} type veth peer name host0 netns {own}",
        f"link set {port(index)} master {BRIDGE} up",
    ])  # fmt: skip
    _batch(own, [
        "link set lo up",
        f"addr add {plan.v4(last)}/24 dev host0",
        f"addr add {plan.v6(last)}/64 dev host0 nodad",
        "link set host0 up",
        f"route add default via {plan.v4(1)}",
        f"route add default via {plan.v6(1)}",
    ])  # fmt: skip
    # the boot mounts /proc/sys read-only, and dockerd dies without forwarding
    _sysctl(own, "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding")


def remove(network: Network) -> None:
    """Delete everything that `create` makes, as far as it is there."""
    run(["ip", "link", "del", network.door], check=False)
    for name in namespaces(network):
        run(["ip", "netns", "del", name], check=False)


def namespaces(network: Network) -> list[str]:
    """The namespaces of this lab that exist."""
    if not NETNS.is_dir():
        return []
    return sorted(path.name for path in NETNS.iterdir() if path.name.startswith(network.prefix))


def members(network: Network) -> set[int]:
    """Every process that lives in a namespace of this lab."""
    words = [
        word for name in namespaces(network) for word in run(["ip", "netns", "pids", name]).stdout.split()
    ]
    return {int(word) for word in words}


def set_port(network: Network, index: int, state: str) -> None:
    """Cut a host's cable (`down`) or mend it (`up`)."""
    _batch(network.bridge, [f"link set {port(index)} {state}"])


def _batch(namespace: str, commands: Iterable[str]) -> None:
    run(["ip", "-n", namespace, "-batch", "-"], stdin="\n".join(commands) + "\n")


def _sysctl(namespace: str, *names: str) -> None:
    script = "".join(f"echo 1 > /proc/sys/{name}; " for name in names)
    run([*inside(namespace), "sh", "-ec", script])
