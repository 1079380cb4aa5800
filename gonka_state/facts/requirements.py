"""What a host is and what it can reach: its OS, memory, disks, Docker, cards, clock, sudo and network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts import requirement_disk, requirement_gpu, requirement_network, requirement_system
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.requirement import PATHS, RequirementResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.observation import Value
    from gonka_state.facts.requirement_gpu import Gpu
    from gonka_state.facts.requirement_network import Container, Listener
    from gonka_state.resources.base import Resource

_READINGS = {**requirement_system.TOPICS, **requirement_gpu.TOPICS}
_COMMANDS = {**requirement_system.COMMANDS, **requirement_gpu.COMMANDS}
_MODULES = (requirement_system, requirement_gpu, requirement_disk, requirement_network)
_SHELL = "".join(module.SHELL for module in _MODULES)
_UNTIL = "until"
TOPICS = (*_READINGS, *sorted(PATHS), "ports", "reach")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What was found per topic; `errors` holds why a topic has no answer. Sizes in bytes, skew in seconds.

    `disks` has `free PATH`, `size PATH`, `type PATH` and `counted NAME`; `answers` what came of each
    target; `listening` and `running` are None where they were not asked for. `there` are the paths of `until`
    that exist.
    """

    found: Mapping[str, Value]
    gpus: tuple[Gpu, ...] = ()
    disks: Mapping[str, Value] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, str] = field(default_factory=dict)
    listening: tuple[Listener, ...] | None = None
    running: tuple[Container, ...] = ()
    there: frozenset[str] = frozenset()


class RequirementsFact(Fact[Conditions]):
    """Conditions of the host; readable in part without root."""

    section = "requirements"
    root = False

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (the same for every look)
        """Only the commands of the topics that are asked for."""
        mine = [resource for resource in wanted if isinstance(resource, RequirementResource)]
        readings = (_READINGS[resource.topic] for resource in mine if resource.topic in _READINGS)
        parts = dict.fromkeys(part for reading in readings for part in reading.parts)
        lines = [_SHELL, *(f"part {part} {_COMMANDS[part]}" for part in parts)]
        disks = (requirement_disk.lines(resource) for resource in mine if resource.topic in PATHS)
        lines += dict.fromkeys(line for some in disks for line in some)
        lines += requirement_network.lines(mine)
        paths = dict.fromkeys(resource.until for resource in mine if resource.until)
        lines += [f"part {quote(f'{_UNTIL} {path}')} test -e {quote(path)}" for path in paths]
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """Every topic but `reach`, which has no targets here; `path=` for the disk."""
        path = str(arguments.pop("path", "/"))
        if arguments:
            raise FactError(f"requirements takes path=, got {', '.join(arguments)}")
        every = [
            RequirementResource.model_construct(name=topic, topic=topic, path=path, counts=(), targets=())  # type: ignore[arg-type]  # the topics are the literal's own
            for topic in TOPICS
        ]
        return self.script(every, Look())

    def parse(self, text: str) -> Conditions:
        """Each topic by itself: one that failed does not hide the others."""
        parts = split_parts(text)
        found: dict[str, Value] = {}
        errors: dict[str, str] = {}
        for topic, reading in _READINGS.items():
            if not all(part in parts for part in reading.parts):
                continue
            try:
                found[topic] = reading.read(parts)
            except FactError as error:
                errors[topic] = str(error)
            except (ValueError, IndexError, KeyError):
                said = parts[reading.parts[0]].text[:80]
                errors[topic] = f"{reading.parts[0]} said {said!r}"
        disks, failed = requirement_disk.read(parts)
        listening = None
        try:
            listening = requirement_network.listeners(parts) if "listeners" in parts else None
        except FactError as error:
            errors["ports"] = str(error)
        return Conditions(
            found,
            requirement_gpu.cards(parts),
            disks,
            errors | failed,
            requirement_network.answers(parts),
            listening,
            requirement_network.containers(parts),
            frozenset(path for path, part in parts.about(_UNTIL).items() if part.status == 0),
        )


FACT = RequirementsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("HostConditions", FACT, name)
