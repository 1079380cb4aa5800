"""The firewall of a host: what ufw has saved, what the kernel does, and what is set to outlive a reboot."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.addresses import IPV4, IPV6
from gonka_state.facts.base import Fact, Look, pyinfra_fact, split_parts
from gonka_state.facts.container_ports import DIRECTORY, UNIT, UNIT_FILE
from gonka_state.facts.iptables import Ruleset, Table, parse
from gonka_state.facts.ufw import Saved, saved_rules, switches

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.resources.base import Resource

UFW_UNIT = "ufw.service"

# `ufw status` is slow and lies about the kernel: its files and iptables-save are both truths.
SCRIPT = f"""
part ufw command -v ufw
ufw_files() {{
  [ ! -e /etc/ufw/ufw.conf ] || cat /etc/ufw/ufw.conf /etc/default/ufw
}}
part switches ufw_files
saved() {{ [ ! -e "$1" ] || cat "$1"; }}
part saved4 saved /etc/ufw/user.rules
part saved6 saved /etc/ufw/user6.rules
part kernel4 iptables-save
kernel6() {{ [ ! -e /proc/net/if_inet6 ] || ip6tables-save; }}
part kernel6 kernel6
addresses6() {{ [ ! -e /proc/net/if_inet6 ] || cat /proc/net/if_inet6; }}
part addresses6 addresses6
part listening ss -Hltnp
part units find /etc/systemd/system -path '*.wants/*' '(' -name {UFW_UNIT} -o -name {UNIT} ')'
ours() {{ [ ! -d {DIRECTORY} ] || grep -arsH '' {DIRECTORY} {UNIT_FILE}; :; }}
part ours ours
"""


@dataclass(frozen=True, slots=True)
class FirewallState:
    """One look at a host's firewall.

    Attributes:
        installed: ufw is there.
        settings: the assignments of ufw.conf and /etc/default/ufw.
        saved: ufw's own rules of both families, in order.
        files: ufw's rules files as rulesets, by family.
        kernel: what is loaded, by family.
        inet6: an address of the host other than the loopback's is IPv6.
        ssh: the ports sshd listens on.
        started: units of ufw's and ours that start at boot.
        ours: files of ours by path, with their content.
    """

    installed: bool
    settings: Mapping[str, str] = field(default_factory=dict)
    saved: tuple[Saved, ...] = ()
    files: Mapping[int, Ruleset] = field(default_factory=dict)
    kernel: Mapping[int, Ruleset] = field(default_factory=dict)
    inet6: bool = False
    ssh: tuple[int, ...] = ()
    started: tuple[str, ...] = ()
    ours: Mapping[str, str] = field(default_factory=dict)

    @property
    def families(self) -> tuple[int, ...]:
        """The families ufw looks after."""
        return (IPV4, IPV6) if self.settings.get("IPV6", "").lower() == "yes" else (IPV4,)

    def active(self, family: int) -> bool:
        """Whether the kernel really sends incoming packets through ufw's rules.

        After `ufw disable` the chains and the jumps from INPUT are still there, but empty.
        """
        ufw = prefix(family)
        return self._jumps(family, "INPUT", f"{ufw}-before-input") and self._jumps(
            family, f"{ufw}-before-input", f"{ufw}-user-input"
        )

    def _jumps(self, family: int, source: str, target: str) -> bool:
        chain = self.kernel[family].chain("filter", source)
        return chain is not None and any(rule.target == target for rule in chain.rules)

    def table(self, family: int) -> Table:
        """The filter table that judges ufw's rules: the loaded one, or while ufw is off the saved one."""
        if self.active(family):
            return self.kernel[family].tables["filter"]
        table = dict(self.files[family].tables.get("filter", {})) if family in self.files else {}
        for builtin in ("INPUT", "OUTPUT"):
            jump = f"*filter\n:{builtin} DROP\n-A {builtin} -j {prefix(family)}-user-{builtin.lower()}"
            table |= parse(jump, family).tables["filter"]
        return table


def prefix(family: int) -> str:
    """How ufw's chains of a family begin."""
    return "ufw" if family == IPV4 else "ufw6"


class FirewallFact(Fact[FirewallState]):
    """ufw's files, the loaded rules of both families, and our own rules for published ports."""

    section = "firewall"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """The same parts whatever is declared: a rule of somebody else may defeat any."""
        _ = wanted, look
        return SCRIPT

    def parse(self, text: str) -> FirewallState:
        """Understand one section.

        Raises:
            FactError: iptables is missing or not understood, or the section was cut short.
        """
        parts = split_parts(text)
        if (found := parts.get("kernel4")) and found.status == _NO_PROGRAM:
            raise FactError("iptables is not installed", hint="apt-get install iptables")
        installed = parts.told("ufw").status == 0
        saved4, file4 = saved_rules(parts.need("saved4").text, IPV4)
        saved6, file6 = saved_rules(parts.need("saved6").text, IPV6)
        return FirewallState(
            installed=installed,
            settings=switches(parts.need("switches").text),
            saved=saved4 + saved6,
            files={IPV4: file4, IPV6: file6},
            kernel={
                IPV4: parse(parts.need("kernel4").text, IPV4),
                IPV6: parse(parts.need("kernel6").text, IPV6),
            },
            inet6=any(not line.endswith(" lo") for line in parts.need("addresses6").lines),
            ssh=_ssh_ports(parts.told("listening").lines),
            started=tuple(sorted({line.rpartition("/")[2] for line in parts.need("units").lines})),
            ours=_files(parts.need("ours").lines),
        )


_NO_PROGRAM = 127


def _ssh_ports(lines: list[str]) -> tuple[int, ...]:
    """Ports of sshd that somebody outside can reach; 22 where nothing can be told."""
    found: set[int] = set()
    for line in lines:
        listening = re.search(r"(\S+):(\d+)\s+\S+\s+users:\(\(\"sshd\"", line)
        if listening and not listening[1].startswith(("127.", "[::1]")):
            found.add(int(listening[2]))
    return tuple(sorted(found)) or (22,)


def _files(lines: list[str]) -> dict[str, str]:
    """Files from `grep -H ''`: every line with its file's path before it."""
    found: dict[str, str] = {}
    for line in lines:
        path, colon, content = line.partition(":")
        if colon:
            found[path] = found.get(path, "") + content + "\n"
    return found


FACT = FirewallFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("FirewallRules", FACT, name)
