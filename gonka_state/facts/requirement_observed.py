"""Whether a requirement is met, and what to do where it is not."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.observation import Observation, Present, Unknown, Value
from gonka_state.core.units import human_bytes, parse_size
from gonka_state.errors import FactError
from gonka_state.facts.requirement_network import foreign, silent
from gonka_state.resources.requirement import GOOD, PATHS

if TYPE_CHECKING:
    from gonka_state.facts.here import Here
    from gonka_state.facts.requirements import Conditions
    from gonka_state.resources.requirement import RequirementResource

_PROGRAMS = frozenset(
    {"docker", "docker-service", "compose", "gpus", "gpu-model", "memory-ratio", "nvidia-runtime", "cuda",
     "container-toolkit", "python", "link-speed", "disk-type"}
)  # fmt: skip
"""Topics where no answer is one: the program, card or driver that would give it is not there."""

_VERSIONS = frozenset({"docker", "compose", "container-toolkit", "cuda", "python"})

_HINTS = {
    "docker": "install or upgrade Docker Engine on the host, and start it",
    "docker-service": "on the host:\nsystemctl enable --now docker",
    "compose": "install Docker's compose plugin (docker-compose-plugin)",
    "nvidia-runtime": "on the host (Docker restarts, and its containers with it):\n"
    "nvidia-ctk runtime configure --runtime=docker && systemctl restart docker",
    "container-toolkit": "install or upgrade the package nvidia-container-toolkit",
    "cuda": "install a driver that brings this CUDA version",
    "gpus": "on the host:\nnvidia-smi; dmesg | grep -i xid",
    "disk": "make room there, or mount a larger disk",
    "ports": "stop that program or container, or give it another port",
    "reach": "the host's routes, DNS and outgoing firewall, and any firewall between",
    "time": "on the host:\ntimedatectl set-ntp true",
    "sudo": "give the login user passwordless sudo, or log in as root",
}


def observe_requirement(state: Conditions, resource: RequirementResource, here: Here) -> Observation:
    """Present with the condition's own words when it is met, else with what was found."""
    seen = _observe(state, resource, here)
    return replace(seen, blocks=resource.until not in state.there) if isinstance(seen, Present) else seen


def _observe(state: Conditions, resource: RequirementResource, here: Here) -> Observation:
    if resource.topic in GOOD:
        return _network(state, resource, here)
    found, error = _found(state, resource, here)
    if found is None:
        if resource.topic in _PROGRAMS:
            shown = f"not available: {error}"
            return Present({resource.topic: shown}, hint=_HINTS.get(resource.topic, ""))
        return Unknown(f"{resource.topic} cannot be read: {error}")
    if _met(resource, found):
        return Present({resource.topic: resource.condition}, details={"found": _shown(resource, found)})
    return Present({resource.topic: _shown(resource, found)}, hint=_HINTS.get(resource.topic, ""))


def wanted_requirement(state: Conditions, resource: RequirementResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """The condition in words, under its topic."""
    return {resource.topic: resource.condition}


def _wrong(state: Conditions, resource: RequirementResource, here: Here) -> list[str]:
    if resource.topic == "reach":
        return silent(resource.targets, state.answers, here)
    if state.listening is None:
        raise FactError(state.errors.get(resource.topic, "not looked at"))
    return foreign(resource.ports, state.listening, state.running, here)


def _network(state: Conditions, resource: RequirementResource, here: Here) -> Observation:
    topic = resource.topic
    try:
        wrong = _wrong(state, resource, here)
    except FactError as error:
        return Unknown(f"{topic} cannot be read: {error}")
    if wrong:
        return Present({topic: "; ".join(wrong)}, hint=_HINTS[topic])
    told = f"{len(resource.targets)} asked" if topic == "reach" else ""
    return Present({topic: resource.condition}, details={"found": told})


def _found(state: Conditions, resource: RequirementResource, here: Here) -> tuple[Value, str]:
    topic, path = resource.topic, resource.path
    if topic == "time":
        return here.skew, "nobody compared the clocks"
    if topic not in PATHS:
        return state.found.get(topic), state.errors.get(topic, "not looked at")
    error = state.errors.get(f"disk {path}", "not looked at")
    if topic == "disk-type":
        return state.disks.get(f"type {path}"), state.errors.get(f"type {path}", error)
    if topic == "disk-size":
        return state.disks.get(f"size {path}"), error
    free = state.disks.get(f"free {path}")
    return (None, error) if free is None else (free + state.disks.get(f"counted {resource.name}", 0), "")


def _met(resource: RequirementResource, found: Value) -> bool:
    if resource.at_most is not None:
        return float(found) <= resource.at_most
    if resource.equals is not None:
        if isinstance(resource.equals, str) and isinstance(found, str) and resource.topic != "disk-type":
            return resource.equals.lower() in found.lower()
        return bool(found == resource.equals)
    if resource.topic in _VERSIONS:
        return _between(version(str(found)), resource)
    if resource.topic == "memory-ratio":
        low, high = (None if item is None else float(item) for item in (resource.minimum, resource.maximum))
    else:
        low, high = (_number(item) for item in (resource.minimum, resource.maximum))
    return (low is None or found >= low) and (high is None or found <= high)


def _number(bound: str | int | None) -> int | None:
    return parse_size(bound) if isinstance(bound, str) else bound


def _between(found: tuple[int, ...], resource: RequirementResource) -> bool:
    """A maximum of 12.9 takes in 12.9.1: it is compared as far as it is written."""
    low = version(str(resource.minimum)) if resource.minimum is not None else ()
    high = version(str(resource.maximum)) if resource.maximum is not None else None
    return bool(found) and found >= low and (high is None or found[: len(high)] <= high)


def _shown(resource: RequirementResource, found: Value) -> str:
    match resource.topic:
        case "memory" | "disk":
            return f"{found / 2**30:.1f} GiB"
        case "disk-size":
            return human_bytes(found)
        case "time":
            return f"{found:.1f} s off"
        case "link-speed":
            return f"{found} Mb/s"
        case "memory-ratio":
            return f"{found:.2f} x the cards' memory"
    return str(found).lower() if isinstance(found, bool) else str(found)


def version(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: `20.10.24+dfsg1` is (20, 10, 24)."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(number) for number in match[1].split(".")) if match else ()
