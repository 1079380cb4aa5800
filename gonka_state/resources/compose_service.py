"""One service of a docker compose project: running, healthy, from today's configuration."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import PlainPath


def _one_or_many(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+(/\S*)?$")]

NOT_YET = "not yet"
"""`healthy` of a container that nothing says is ill: there is nothing to do but to wait."""


class ComposeServiceResource(Resource):
    """`name` is the service's name in its compose files.

    `directory` is the project directory; `files` and `env_file` are relative to it or absolute.
    `running`, `healthy` and `current` (the container was made from today's configuration and image:
    compose's own config hash) are compared. `restart_on` lists mounted files that are not part of the
    hash: a container older than one of them is not current. `url` is asked on the host to judge health
    where the image has no healthcheck: of several the first that does not answer 404 decides; one whose
    host is the service's own name is asked at its container. It has `healthy_within` seconds, else
    `timeouts.healthy`. `gpus` is how many cards its container must see, `all` for those of the host (a
    card that the host itself has lost is left to the requirement). `image_follows` false keeps the running image (cosmovisor
    replaces binaries inside; an image tag that differs is then no drift). `serves_models` says that it is
    an ML node; `phase` is the deployment plan's.
    """

    kind: ClassVar[str] = "compose-service"
    removable: ClassVar[bool] = True
    on_create: ClassVar[Effect] = Effect.SAFE
    on_follow: ClassVar[Effect] = Effect.DISRUPTIVE

    directory: PlainPath
    files: tuple[str, ...] = Field(default=("docker-compose.yml",), strict=False)
    env_file: str | None = None
    project: str | None = None
    running: Annotated[bool, Attribute(effect=Effect.DISRUPTIVE)] = True
    healthy: Annotated[bool, Attribute(effect=Effect.DISRUPTIVE)] = True
    current: Annotated[bool, Attribute(effect=Effect.DISRUPTIVE)] = True
    restart_on: tuple[str, ...] = Field(default=(), strict=False)
    url: Annotated[tuple[Url, ...], BeforeValidator(_one_or_many)] = Field(default=(), strict=False)
    healthy_within: int | None = Field(default=None, gt=0)
    gpus: Annotated[int | Literal["all"] | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    image_follows: bool = True
    serves_models: bool = False
    phase: int = Field(default=4, ge=3, le=5)

    @property
    def in_phase(self) -> int:
        """The plan launches the chain in phase 3, the network node in 4, ML nodes in 5."""
        return self.phase

    @property
    def throttle(self) -> str:
        """An ML node's launch is limited: so many at once."""
        return "launch" if self.serves_models else ""

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """Whatever is done to a container that does not run disturbs nobody, nor does waiting; anything else may."""
        if action is not Action.UPDATE:
            return super().effect(action, changes)
        if [(change.name, change.before) for change in changes] == [("healthy", NOT_YET)]:
            return Effect.SAFE
        starts = any(change.name == "running" and change.after for change in changes)
        return Effect.SAFE if starts else Effect.DISRUPTIVE
