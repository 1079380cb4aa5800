"""A parameter of the kernel, now and after a boot."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource

PARAMETER = r"^[a-z0-9_]+(\.[A-Za-z0-9_-]+)+$"


class SysctlResource(Resource):
    """`name` is the parameter with dots, as `net.core.somaxconn`; `value` text, its numbers apart by one space.

    `persistent` is observed as true where the value is this one after a boot, too.
    """

    kind: ClassVar[str] = "sysctl"

    name: str = Field(pattern=PARAMETER)
    value: Annotated[str, Field(pattern=r"^\S+( \S+)*$"), Attribute(effect=Effect.DISRUPTIVE)]
    persistent: Annotated[Literal[True], Attribute()] = True

    @property
    def path(self) -> str:
        """Below /proc/sys."""
        return self.name.replace(".", "/")

    @property
    def file(self) -> str:
        """Our own file of it; what is read after it can still take it back."""
        return f"/etc/sysctl.d/99-gonka-state-{self.name}.conf"
