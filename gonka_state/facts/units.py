"""Units of systemd: whether they run, and whether they start at boot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Observation, Present, Unknown, Value, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.service import ServiceResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

_PROPERTIES = ("LoadState", "ActiveState", "SubState", "UnitFileState", "Type", "Result", "NRestarts")

# systemctl answers in the order of the question; a unit that nobody knows has an answer too.
_FUNCTIONS = r"""
units() {
  command -v systemctl >/dev/null || { echo 'systemd is not here' >&2; return 127; }
  for unit; do echo "$unit"; done
}
"""


@dataclass(frozen=True, slots=True)
class UnitsState:
    """What `systemctl show` says of every unit asked for: properties by name."""

    units: Mapping[str, Mapping[str, str]]


class UnitsFact(Fact[UnitsState]):
    """The units that are declared; `unit=docker,cron` when used alone."""

    section: ClassVar[str] = "units"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One `systemctl show` for all of them."""
        names = [resource.unit for resource in wanted if isinstance(resource, ServiceResource)]
        asked = quote("part", "asked", "units", *names)
        shown = quote("part", "shown", "systemctl", "show", "-p", ",".join(_PROPERTIES), "--", *names)
        return f"{_FUNCTIONS}{asked}\n" + (f"{shown}\n" if names else "")

    def standalone(self, **arguments: object) -> str:
        """`unit=docker,cron`: the units to look at."""
        names = str(arguments.pop("unit", "docker")).split(",")
        if arguments:
            raise FactError(f"{self.section} takes unit=")
        return self.script([ServiceResource(name=name) for name in names], Look())

    def parse(self, text: str) -> UnitsState:
        """Understand the section.

        Raises:
            FactError: no systemd, or an answer that does not fit the question.
        """
        parts = split_parts(text)
        names = parts.need("asked").lines
        if not names:
            return UnitsState({})
        blocks = [block for block in parts.need("shown").text.strip().split("\n\n") if block.strip()]
        if len(blocks) != len(names):
            raise FactError(f"systemctl answered for {len(blocks)} of {len(names)} units")
        answers = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks]
        return UnitsState(dict(zip(names, answers, strict=True)))


def observe_service(state: UnitsState, resource: ServiceResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Running and enabled, or the word that says why not."""
    unit = state.units.get(resource.unit)
    if unit is None:
        return not_looked_at(resource.unit)
    if unit.get("LoadState") == "not-found":
        return Unknown(
            f"this host has no unit {resource.unit}",
            hint="install the package that brings it, or correct the name",
            pending_on="package",
        )
    running, why = _running(unit)
    enabled = _enabled(unit.get("UnitFileState", ""), wanted=resource.enabled)
    human = _human(unit.get("UnitFileState", ""), resource, running=running is True)
    return Present(
        {"running": running, "enabled": enabled},
        reason="; ".join(filter(None, [why if resource.running else "", human])),
        human=human,
    )


def _running(unit: Mapping[str, str]) -> tuple[Value, str]:
    match unit.get("ActiveState"), unit.get("SubState"):
        case ("active" | "reloading" | "refreshing", _):
            return True, ""
        case ("activating", "auto-restart" | "auto-restart-queued"):
            return "restarting", f"it ended {unit.get('NRestarts', '?')} times: {unit.get('Result')}"
        case ("activating", _):
            return "starting", ""
        case ("failed", _):
            return False, f"it failed: {unit.get('Result')}"
        case _ if unit.get("Type") == "oneshot":
            return False, "it is a oneshot, which does not stay running"
    return False, ""


def _enabled(file: str, *, wanted: bool | None) -> Value:
    if file in {"enabled", "alias"}:
        return True
    if file == "enabled-runtime":
        return "until the next boot"
    # What cannot be enabled is not enabled: a difference only where it shall be.
    return False if file in {"disabled", ""} or not wanted else file


def _human(file: str, resource: ServiceResource, *, running: bool) -> str:
    if file == "masked" and (resource.enabled or (resource.running and not running)):
        return f"somebody has masked it: systemctl unmask {resource.unit}, or do not declare it"
    if file in {"static", "generated", "transient"} and resource.enabled:
        return f"it is {file}: nothing enables it, do not declare enabled"
    return ""


FACT = UnitsFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Units", FACT, name)
