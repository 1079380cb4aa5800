"""What a host is: its OS, cores, memory, disks, Docker, GPUs, clock and sudo."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.core.observation import Observation, Present, Unknown, Value
from gonka_state.core.units import parse_size
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Parts, pyinfra_fact, quote, split_parts
from gonka_state.facts.compose import ENGINE
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

_DISK = r"""
free_at() { _p=$1; while [ ! -e "$_p" ] && [ "$_p" != / ]; do _p=$(dirname "$_p"); done; df -PB1 "$_p" | tail -n 1; }
counted() { _s=0; for _d in "$@"; do [ -d "$_d" ] && _s=$((_s + $(du -sB1 "$_d" | cut -f1))); done; echo "$_s"; }
"""
_ENGINE = (
    ENGINE
    + r"""
ask_engine() { engine && docker info --format '{{.ServerVersion}}|{{json .Runtimes}}'; }
"""
)
_GPU = "nvidia-smi --query-gpu=index,name,memory.total,utilization.gpu --format=csv,noheader,nounits"

# One command per topic, so that a look asks only for what is required.
_COMMANDS: Mapping[str, str] = {
    "os": 'part os sh -c \'. /etc/os-release; printf "%s %s\\n" "$ID" "$VERSION_ID"\'',
    "architecture": "part architecture uname -m",
    "cores": "part cores nproc",
    "memory": "part memory sed -n 's/^MemTotal: *//p' /proc/meminfo",
    "docker": "part docker ask_engine",
    "nvidia-runtime": "part docker ask_engine",
    "compose": "part compose docker compose version --short",
    "gpus": f"part gpus {_GPU}",
    "gpu-model": f"part gpus {_GPU}",
    "time": "part time date +%s.%N",
    "sudo": "part sudo id -u",
}
TOPICS = (*_COMMANDS, "disk")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card as nvidia-smi lists it. `memory` in MiB; a dropped card answers in brackets."""

    index: str
    name: str
    memory: str
    utilization: str

    @property
    def healthy(self) -> bool:
        """A card that answers with figures; `[N/A]` and errors do not count."""
        return self.memory.isdigit() and self.utilization.isdigit()


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was found per topic; `errors` holds why a topic has no answer. Sizes in bytes, skew in seconds."""

    found: Mapping[str, Value]
    gpus: tuple[Gpu, ...] = ()
    disks: Mapping[str, int] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


class RequirementsFact(Fact[Conditions]):
    """Conditions of the host; readable in part without root."""

    section = "requirements"
    root = False

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Only the commands of the topics that are asked for."""
        mine = [resource for resource in wanted if isinstance(resource, RequirementResource)]
        topics = dict.fromkeys(resource.topic for resource in mine)
        commands = dict.fromkeys(_COMMANDS[topic] for topic in topics if topic in _COMMANDS)
        lines = [_DISK, _ENGINE, f"part clock echo {look.clock:.3f}", *commands]
        for resource in mine:
            if resource.topic == "disk":
                lines.append(f"part {quote('disk ' + resource.path)} free_at {quote(resource.path)}")
                lines.append(quote("part", f"counted {resource.name}", "counted", *resource.counts))
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """Every topic; `path=` for the disk."""
        path = str(arguments.pop("path", "/"))
        if arguments:
            raise FactError(f"requirements takes path=, got {', '.join(arguments)}")
        every = [RequirementResource(name=topic, topic=topic, equals="", path=path) for topic in TOPICS]  # type: ignore[arg-type]  # the topics are the literal's own
        return self.script(every, Look())

    def parse(self, text: str) -> Conditions:
        """Each topic by itself: one that failed does not hide the others."""
        parts = split_parts(text)
        found: dict[str, Value] = {}
        errors: dict[str, str] = {}
        for topic, read in _READERS.items():
            name = _part_of(topic)
            if name not in parts:
                continue
            try:
                found[topic] = read(parts)
            except FactError as error:
                errors[topic] = str(error)
            except (ValueError, IndexError):
                errors[topic] = f"{name} said {parts[name].text[:80]!r}"
        disks, failed = _disks(parts)
        return Conditions(found, _gpus(parts), disks, errors | failed)


def _part_of(topic: str) -> str:
    return {"nvidia-runtime": "docker", "gpu-model": "gpus"}.get(topic, topic)


def _docker(parts: Parts) -> tuple[str, str]:
    part = parts["docker"]
    version, _, rest = part.text.strip().partition("|")
    if part.status == 127:  # noqa: PLR2004 (the shell's own: no such program)
        raise FactError("docker is not installed")
    if part.status != 0 or not version:
        # The client's own words are about its template, not about the daemon.
        raise FactError("the Docker daemon does not answer")
    return version, rest


def _skew(parts: Parts) -> float:
    clock = float(parts.need("clock").text)
    return abs(float(parts.need("time").text) - clock) if clock else 0.0


def _gpus(parts: Parts) -> tuple[Gpu, ...]:
    part = parts.get("gpus")
    if part is None or part.status != 0:
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in part.lines if line.strip()]
    return tuple(Gpu(*row) for row in rows if len(row) == 4)  # noqa: PLR2004 (the four fields asked for)


def _cards(parts: Parts) -> None:
    if parts["gpus"].status == 127:  # noqa: PLR2004 (the shell's own: no such program)
        raise FactError("nvidia-smi is not installed")
    parts.need("gpus")


def _healthy(parts: Parts) -> int:
    _cards(parts)
    return sum(1 for gpu in _gpus(parts) if gpu.healthy)


def _names(parts: Parts) -> str:
    _cards(parts)
    return ", ".join(sorted({gpu.name for gpu in _gpus(parts)})) or "none"


_READERS: Mapping[str, Callable[[Parts], Value]] = {
    "os": lambda parts: parts.need("os").text.strip(),
    "architecture": lambda parts: parts.need("architecture").text.strip(),
    "cores": lambda parts: int(parts.need("cores").text),
    "memory": lambda parts: int(parts.need("memory").text.split()[0]) * 1024,
    "docker": lambda parts: _docker(parts)[0],
    "nvidia-runtime": lambda parts: '"nvidia"' in _docker(parts)[1],
    "compose": lambda parts: parts.need("compose").text.strip().removeprefix("v"),
    "gpus": _healthy,
    "gpu-model": _names,
    "time": _skew,
    "sudo": lambda parts: parts.need("sudo").text.strip() == "0",
}


def _disks(parts: Parts) -> tuple[dict[str, int], dict[str, str]]:
    disks: dict[str, int] = {}
    errors: dict[str, str] = {}
    for name, part in parts.items():
        verb, _, subject = name.partition(" ")
        fields = part.text.split()
        try:
            if verb == "disk":
                disks[f"free {subject}"] = int(fields[3])
            elif verb == "counted":
                disks[name] = int(fields[0])
        except (ValueError, IndexError):
            errors[f"disk {subject}"] = part.failed or f"df said {part.text[:80]!r}"
    return disks, errors


def observe_requirement(state: Conditions, resource: RequirementResource, here: Here) -> Observation:  # noqa: ARG001
    """Present with the condition's own words when it is met, else with what was found."""
    found, error = _found(state, resource)
    if found is None:
        if resource.topic in {"docker", "compose", "gpus", "gpu-model", "nvidia-runtime"}:
            return Present({resource.topic: f"not available: {error}"})
        return Unknown(f"{resource.topic} cannot be read: {error}")
    met = _met(resource, found)
    shown = resource.condition if met else _shown(resource, found)
    return Present({resource.topic: shown}, details={"found": found})


def wanted_requirement(state: Conditions, resource: RequirementResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """The condition in words, under its topic."""
    return {resource.topic: resource.condition}


def _found(state: Conditions, resource: RequirementResource) -> tuple[Value, str]:
    if resource.topic != "disk":
        return state.found.get(resource.topic), state.errors.get(resource.topic, "not looked at")
    free = state.disks.get(f"free {resource.path}")
    error = state.errors.get(f"disk {resource.path}", "not looked at")
    return (None, error) if free is None else (free + state.disks.get(f"counted {resource.name}", 0), "")


def _met(resource: RequirementResource, found: Value) -> bool:
    if resource.at_most is not None:
        return float(found) <= resource.at_most
    if resource.minimum is not None:
        if resource.topic in {"docker", "compose"}:
            return version(str(found)) >= version(str(resource.minimum))
        size = resource.minimum
        return int(found) >= (parse_size(size) if isinstance(size, str) else size)
    if isinstance(resource.equals, str) and isinstance(found, str):
        return resource.equals.lower() in found.lower()
    return bool(found == resource.equals)


def _shown(resource: RequirementResource, found: Value) -> str:
    if resource.topic in {"memory", "disk"}:
        return f"{found / 2**30:.1f} GiB"
    return f"{found:.1f} s off" if resource.topic == "time" else str(found)


def version(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: `20.10.24+dfsg1` is (20, 10, 24)."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    return tuple(int(number) for number in match[1].split(".")) if match else ()


FACT = RequirementsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("HostConditions", FACT, name)
