"""A unit of systemd: whether it runs, and whether it starts at boot."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource

UNIT = r"^[A-Za-z0-9:_.@\\-]+$"
_TYPES = ("service", "socket", "timer", "target", "path", "mount", "automount", "swap", "slice", "scope")


class ServiceResource(Resource):
    """`name` is a unit, a service where it names no type.

    Observed are true, false, or systemd's word where neither is true: `running` as `starting` or `restarting`,
    `enabled` as `static`, `masked`, `until the next boot` and the like. Starting harms nobody; stopping does.
    """

    kind: ClassVar[str] = "service"

    name: str = Field(pattern=UNIT)
    running: Annotated[bool | None, Attribute()] = None
    enabled: Annotated[bool | None, Attribute()] = None

    @property
    def unit(self) -> str:
        """The unit's full name."""
        return self.name if self.name.rpartition(".")[2] in _TYPES else f"{self.name}.service"

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """Stopping and disabling are disruptive."""
        ends = any(change.after is False for change in changes)
        return Effect.DISRUPTIVE if ends else super().effect(action, changes)
