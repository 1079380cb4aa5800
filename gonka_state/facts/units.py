"""Units of systemd: whether they run, and whether they start at boot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Observation, Present, Unknown, Value, not_looked_at
from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.resources.service import ServiceResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource

_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "Type",
    "Result",
    "NRestarts",
    "ActiveEnterTimestampMonotonic",
)

_ROUNDED = 0.05
"""The kernel tells how long it is up in hundredths of a second."""

# systemctl answers in the order of the question; a unit that nobody knows has an answer too.
_FUNCTIONS = r"""
units() {
  command -v systemctl >/dev/null || { echo 'systemd is not here' >&2; return 127; }
  for unit; do echo "$unit"; done
}
written() {
  date +%s.%N && cut -d ' ' -f 1 /proc/uptime || return 1
  for path; do stat -L -c '%.6Y %n' -- "$path" 2>/dev/null; done
  return 0
}
"""


@dataclass(frozen=True, slots=True)
class UnitsState:
    """What `systemctl show` says of every unit asked for: properties by name.

    `booted` is when the host's clock of the kernel began, and `written` when each file was written that a unit reads,
    in seconds since 1970.
    """

    units: Mapping[str, Mapping[str, str]]
    booted: float = 0.0
    written: Mapping[str, float] = field(default_factory=dict)


class UnitsFact(Fact[UnitsState]):
    """The units that are declared; `unit=docker,cron` when used alone."""

    section: ClassVar[str] = "units"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:  # noqa: ARG002 (same for every look)
        """One `systemctl show` for all of them; when the files were written that they read."""
        wishes = [resource for resource in wanted if isinstance(resource, ServiceResource)]
        names = [wish.unit for wish in wishes]
        paths = dict.fromkeys(path for wish in wishes for path in wish.restart_on)
        asked = quote("part", "asked", "units", *names)
        shown = quote("part", "shown", "systemctl", "show", "-p", ",".join(_PROPERTIES), "--", *names)
        written = quote("part", "written", "written", *paths)
        return f"{_FUNCTIONS}{asked}\n" + (f"{shown}\n" if names else "") + (f"{written}\n" if paths else "")

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
        booted, written = _written(parts.need("written").lines) if "written" in parts else (0.0, {})
        return UnitsState(dict(zip(names, answers, strict=True)), booted, written)


def _written(lines: Sequence[str]) -> tuple[float, dict[str, float]]:
    try:
        now, up, *files = lines
        times = (line.split(" ", 1) for line in files)
        return float(now) - float(up), {path: float(seconds) for seconds, path in times}
    except ValueError as error:
        raise FactError(f"the times of files were not understood: {lines[:3]}") from error


def observe_service(state: UnitsState, resource: ServiceResource, here: Here) -> Observation:  # noqa: ARG001 (every kind's signature)
    """Running and enabled, or the word that says why not."""
    unit = state.units.get(resource.unit)
    if unit is None:
        return not_looked_at(resource.unit)
    if unit.get("LoadState") == "not-found":
        return Unknown(
            f"this host has no unit {resource.unit}",
            hint="install the package that brings it, or correct the name",
            pending_on="file" if _own_file(resource) else "package",
        )
    if resource.restart_on and not state.booted:
        return not_looked_at(resource.unit)
    running, why = _running(unit)
    enabled = _enabled(unit.get("UnitFileState", ""), wanted=resource.enabled)
    human = _human(unit.get("UnitFileState", ""), resource, running=running is True)
    newer = _newer(state, resource, unit) if running is True else ""
    return Present(
        {"running": running, "enabled": enabled, "current": not newer},
        reason="; ".join(filter(None, [why if resource.running else "", newer, human])),
        human=human,
    )


def _own_file(resource: ServiceResource) -> bool:
    return any(path.rpartition("/")[2] == resource.unit for path in resource.restart_on)


def _newer(state: UnitsState, resource: ServiceResource, unit: Mapping[str, str]) -> str:
    """Which file it has not read yet. Kernel time is compared: the clock may have been set since."""
    started = unit.get("ActiveEnterTimestampMonotonic", "")
    if not started.isdigit():
        return ""
    since = state.booted + int(started) / 1e6 + _ROUNDED
    names = [path for path in resource.restart_on if state.written.get(path, 0.0) > since]
    return f"it runs since before {', '.join(names)} was written" if names else ""


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
