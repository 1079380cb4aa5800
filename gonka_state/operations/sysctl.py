"""Setting a kernel parameter now, and in a file of ours for the next boot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do
from gonka_state.operations.placing import placing
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.sysctl import SysctlResource


def apply(step: Step[SysctlResource]) -> Commands:
    """Set the value first: what the kernel refuses is not written for a boot.

    pyinfra's own operation adds a second line to /etc/sysctl.conf where the value changes.

    Raises:
        StepError: the kernel refuses the value.
    """
    wish = step.resource
    if step.change.action is Action.CREATE or step.differs("value"):
        write = f"printf '%s\\n' {quote(wish.value)} >{quote(f'/proc/sys/{wish.path}')}"
        yield Do(f"set {wish.name}", write)
    if step.differs("persistent"):
        file = FileResource(name=wish.file, mode="0644", owner="root", group="root")
        script = f"mkdir -p /etc/sysctl.d\n{placing(file, 'cat')}"
        yield Do(f"write {wish.file}", script, stdin=f"{wish.name} = {wish.value}\n")
