"""The images of a docker compose project: on the host before anything is started from them."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from gonka_state.core.address import plain
from gonka_state.resources.base import Attribute, Resource


class ComposeImagesResource(Resource):
    """`name` is the project directory; `files` and `env_file` are relative to it or absolute.

    Wanted are the images that compose names today for `services`, of the given `platform` (OS/ARCHITECTURE).
    For a service in `keeps` that has a container nothing is wanted: it goes on with the image it has.
    Compared are `missing` (images), `platform` (images that are of another one) and `blank`: variables of
    the compose files that nobody sets, so that compose would leave them empty.
    """

    kind: ClassVar[str] = "compose-images"
    plan_phase: ClassVar[int] = 2

    name: Annotated[str, Field(min_length=1), AfterValidator(plain)]
    files: tuple[str, ...] = Field(default=("docker-compose.yml",), strict=False)
    env_file: str | None = None
    project: str | None = None
    services: tuple[str, ...] = Field(default=(), strict=False)
    keeps: tuple[str, ...] = Field(default=(), strict=False)
    platform: Annotated[str, Field(pattern=r"^[a-z0-9]+/[a-z0-9]+$"), Attribute()] = "linux/amd64"

    @property
    def directory(self) -> str:
        """The project directory, as services of the project call it."""
        return self.name
