"""The files by which a restriction of a published port outlives a reboot, as they should be on a host.

One file per port and family holds that port's rules, so that one port's step never rewrites another's.
A unit, ordered before Docker and repeated whenever Docker starts, loads them all in one transaction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.facts.addresses import IPV4, IPV6, Addresses, Sources

if TYPE_CHECKING:
    from collections.abc import Sequence

DIRECTORY = "/etc/gonka-state/container-ports"
UNIT = "gonka-state-container-ports.service"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
LOADER = f"{DIRECTORY}/load"
TRANSLATED = "GONKA-STATE"
"""The chain for packets that Docker has translated; first in DOCKER-USER."""
DIRECT = "GONKA-STATE-IN"
"""The chain for packets that reach docker-proxy untranslated; first in INPUT."""

UNIT_TEXT = f"""\
[Unit]
Description=Who may reach the ports that Docker publishes (gonka-state)
Before=docker.service
After=ufw.service
PartOf=docker.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh {LOADER}

[Install]
WantedBy=multi-user.target docker.service
"""

LOADER_TEXT = f"""\
# Loads the rules beside this file; written by gonka-state, run by {UNIT}.
set -eu
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
cd {DIRECTORY}
jump() {{
  # A jump that is there is taken out and put first again within the same transaction. iptables 1.8.7 prints it.
  ! "$tables" -w 10 -C "$1" -j "$2" >/dev/null 2>&1 || echo "-D $1 -j $2"
  echo "-I $1 1 -j $2"
}}
load() {{
  tables=$1 rules=$2
  # Docker takes over a DOCKER-USER that is there before it, and puts its jump first itself.
  "$tables" -w 10 -N DOCKER-USER 2>/dev/null || "$tables" -w 10 -n -L DOCKER-USER >/dev/null
  "$tables" -w 10 -C FORWARD -j DOCKER-USER >/dev/null 2>&1 || "$tables" -w 10 -I FORWARD 1 -j DOCKER-USER
  {{
    printf '%s\\n' '*filter' ':{TRANSLATED} - [0:0]' ':{DIRECT} - [0:0]'
    # What containers of this host ask of each other is not from outside.
    printf '%s\\n' '-A {TRANSLATED} -i docker0 -j RETURN' '-A {TRANSLATED} -i br-+ -j RETURN'
    printf '%s\\n' '-A {DIRECT} -i lo -j RETURN' '-A {DIRECT} -i docker0 -j RETURN' '-A {DIRECT} -i br-+ -j RETURN'
    for file in *."$rules"; do [ ! -e "$file" ] || cat "$file"; done
    jump DOCKER-USER {TRANSLATED}
    jump INPUT {DIRECT}
    echo COMMIT
  }} | "$tables-restore" -w 10 -n
}}
load iptables v4
[ ! -e /proc/net/if_inet6 ] || load ip6tables v6
"""


def file_name(port: int, protocol: str, family: int) -> str:
    """The file of one port and family, within `DIRECTORY`."""
    return f"{port}-{protocol}.v{family}"


def rules(port: int, protocol: str, allowed: Addresses) -> str:
    """The rules of one port and family; empty where everybody is let in."""
    if allowed == Addresses.everybody(allowed.family):
        return ""
    ways = {
        TRANSLATED: f"-m conntrack --ctstate DNAT --ctorigdstport {port} --ctdir ORIGINAL",
        DIRECT: f"-m {protocol} --dport {port}",
    }
    lines: list[str] = []
    for chain, condition in ways.items():
        lines += [
            f"-A {chain} -s {network} -p {protocol} {condition} -j RETURN" for network in allowed.networks()
        ]
        lines.append(f"-A {chain} -p {protocol} {condition} -j DROP")
    return "".join(f"{line}\n" for line in lines)


def files(port: int, protocol: str, sources: Sequence[str]) -> dict[str, str]:
    """The files of one port by name; an empty one is not written, and removed where it is."""
    allowed = Sources.read(sources)
    return {
        file_name(port, protocol, family): rules(port, protocol, allowed.family(family))
        for family in (IPV4, IPV6)
    }
