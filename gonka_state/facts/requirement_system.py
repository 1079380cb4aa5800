"""Requirements of the machine and of Docker: what is read, and how."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.compose import ENGINE
from gonka_state.facts.reading import NO_SUCH_PROGRAM, Reading, program, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.facts.base import Parts

SHELL = (
    ENGINE
    + r"""
ask_engine() { engine && docker info --format '{{.ServerVersion}}|{{json .Runtimes}}'; }
link_speed() {
  device=$(ip -o route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -n 1)
  [ -n "$device" ] || device=$(ip -o route get "${GONKA_STATE_PEER:-192.0.2.1}" 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
  echo "$device $(cat "/sys/class/net/$device/speed" 2>/dev/null)"
}
"""
)

# A command per part, so that a look asks only for what is required.
COMMANDS: Mapping[str, str] = {
    "os": 'sh -c \'. /etc/os-release; printf "%s %s\\n" "$ID" "$VERSION_ID"\'',
    "architecture": "uname -m",
    "cores": "nproc",
    "memory": "sed -n 's/^MemTotal: *//p' /proc/meminfo",
    "python": "python3 --version",
    "docker": "ask_engine",
    "docker-service": "systemctl show -p LoadState -p ActiveState -p UnitFileState docker.service",
    "compose": "docker compose version --short",
    "link-speed": "link_speed",
    "sudo": "id -u",
}


def memory(parts: Parts) -> int:
    """Bytes of memory.

    Raises:
        FactError: the part failed.
    """
    return int(parts.need("memory").text.split()[0]) * 1024


def _docker(parts: Parts) -> tuple[str, str]:
    part = parts["docker"]
    version, _, rest = part.text.strip().partition("|")
    if part.status == NO_SUCH_PROGRAM:
        raise FactError("docker is not installed")
    if part.status != 0 or not version:
        # The client's own words are about its template, not about the daemon.
        raise FactError("the Docker daemon does not answer")
    return version, rest


def _service(parts: Parts) -> bool | str:
    """True where Docker runs and starts at boot; its socket alone would start no container."""
    said = program(parts, "docker-service", "systemctl").lines
    unit = dict(line.split("=", 1) for line in said if "=" in line)
    if unit["LoadState"] != "loaded":
        raise FactError("there is no docker.service")
    runs, boots = unit["ActiveState"] == "active", unit["UnitFileState"].startswith("enabled")
    if runs and boots:
        return True
    return f"{'running' if runs else unit['ActiveState']}, {'starts' if boots else 'does not start'} at boot"


def _python(parts: Parts) -> str:
    found = re.fullmatch(r"Python (\S+)", program(parts, "python", "python3").text.strip())
    if found is None:
        raise FactError(f"python3 said {parts['python'].text[:80]!r}")
    return found[1]


def _speed(parts: Parts) -> int:
    device, _, speed = parts.need("link-speed").text.strip().partition(" ")
    if not device:
        raise FactError("no network device leads out")
    if not speed.isdecimal():
        raise FactError(f"the driver of {device} does not tell its speed")
    return int(speed)


TOPICS: Mapping[str, Reading] = {
    "os": text("os"),
    "architecture": text("architecture"),
    "cores": Reading(("cores",), lambda parts: int(parts.need("cores").text)),
    "memory": Reading(("memory",), memory),
    "python": Reading(("python",), _python),
    "docker": Reading(("docker",), lambda parts: _docker(parts)[0]),
    "docker-service": Reading(("docker-service",), _service),
    "nvidia-runtime": Reading(("docker",), lambda parts: '"nvidia"' in _docker(parts)[1]),
    "compose": Reading(("compose",), lambda parts: parts.need("compose").text.strip().removeprefix("v")),
    "link-speed": Reading(("link-speed",), _speed),
    "sudo": Reading(("sudo",), lambda parts: parts.need("sudo").text.strip() == "0"),
}
