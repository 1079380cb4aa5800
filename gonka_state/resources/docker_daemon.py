"""Settings of the Docker engine in its daemon.json."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource

RELOADED = frozenset(
    {
        "authorization-plugins", "debug", "default-runtime", "features", "insecure-registries", "labels",
        "live-restore", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
        "registry-mirrors", "runtimes", "shutdown-timeout",
    }
)  # fmt: skip
"""Settings that dockerd takes over on SIGHUP (moby, daemon/reload.go)."""

_PASSWORD = re.compile(r"//[^/@\s]*:[^/@\s]+@")


class DockerDaemonResource(Resource):
    """`settings` are compared key by key, maps within them likewise; what is not declared stays as it is.

    A setting that the file does not have is observed as Docker's default, where that one never changed. `loaded` is
    observed as false where a killed step has written the file and Docker has not read it yet.
    """

    kind: ClassVar[str] = "docker-daemon"
    plan_phase: ClassVar[int] = 2

    name: Literal["daemon.json"] = "daemon.json"
    settings: Annotated[dict[str, Any], Field(min_length=1), Attribute(effect=Effect.DISRUPTIVE)]
    loaded: Annotated[Literal[True], Attribute(effect=Effect.DISRUPTIVE)] = True

    @field_validator("settings")
    @classmethod
    def _no_passwords(cls, settings: dict[str, Any]) -> dict[str, Any]:
        if _PASSWORD.search(str(settings)):
            raise ValueError("holds a password: plans show these settings")
        return settings

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """A setting that Docker takes over while it runs harms nobody; all others restart it."""
        return Effect.SAFE if self.reloads(changes) else super().effect(action, changes)

    def reloads(self, changes: tuple[AttributeChange, ...]) -> bool:
        """Docker takes all these changes over without a restart."""
        names = {change.name for change in changes}
        settings = {name.split(".")[1] for name in names if name.startswith("settings.")}
        settings |= set(self.settings) if "settings" in names else set()
        return bool(settings) and "loaded" not in names and settings <= RELOADED
