"""A unit of systemd: whether it runs, and whether it starts at boot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath

if TYPE_CHECKING:
    from gonka_state.core.observation import Value

UNIT = r"^[A-Za-z0-9:_.@\\-]+$"
_TYPES = ("service", "socket", "timer", "target", "path", "mount", "automount", "swap", "slice", "scope")

HARMLESS = frozenset({"systemd-journald.service", "prometheus-node-exporter.service"})
"""Services whose restart nobody notices; so is every timer's."""


class ServiceResource(Resource):
    """`name` is a unit, a service where it names no type.

    Observed are true, false, or systemd's word where neither is true: `running` as `starting` or `restarting`,
    `enabled` as `static`, `masked`, `until the next boot` and the like. Starting harms nobody; stopping does.
    `restart_on` are files that a unit reads when it starts: one that runs since before one of them was written is
    not `current`. The unit's own files may be among them.
    """

    kind: ClassVar[str] = "service"

    name: str = Field(pattern=UNIT)
    running: Annotated[bool | None, Attribute()] = None
    enabled: Annotated[bool | None, Attribute()] = None
    current: Annotated[Literal[True] | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    restart_on: tuple[AbsolutePath, ...] = Field(default=(), strict=False)

    def attributes(self) -> dict[str, Value]:
        """A unit that reads files has to be current."""
        return super().attributes() | ({"current": True} if self.restart_on else {})

    @property
    def unit(self) -> str:
        """The unit's full name."""
        return self.name if self.name.rpartition(".")[2] in _TYPES else f"{self.name}.service"

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """Stopping and disabling are disruptive, and so is a restart that somebody may notice."""
        ends = any(change.after is False for change in changes)
        harmless = not ends and (self.unit in HARMLESS or self.unit.endswith(".timer"))
        return Effect.DISRUPTIVE if ends else Effect.SAFE if harmless else super().effect(action, changes)
