"""Restarting one container of a compose project as it is, and waiting until it is healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.operations.compose_removal import until_stored
from gonka_state.operations.compose_service import compose_command, until_healthy

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.compose_service import ComposeServiceResource


def apply(step: Step[ComposeServiceResource]) -> Commands:
    """Restart the service alone: the same container with the same state, so never two of it at once."""
    if step.differs("restarted"):
        yield from until_stored(step.resource)
        yield from compose_command(step, f"restart {step.resource.name}", "restart --no-deps")
    yield from until_healthy(step)
