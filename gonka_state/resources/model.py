"""A Hugging Face model at one revision, in the hub's cache layout."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import PlainPath

PUBLIC_HUB = "https://huggingface.co"
"""Where the hub's client goes unless an endpoint is declared."""


class ModelResource(Resource):
    """`name` is the model id `ORG/NAME`.

    `revision` is a 40-hex commit. Observed as an attribute of the same name: the commit when it is
    complete on disk, else `partial, 12.3 of 33.1 GB` with what it lacks in the reason, or the other
    commits that are there. `ref` is a name, such as `main`, under which the cache must know this revision: an
    ML node that is offline, or asks for no revision, loads what that name says. `home` is HF_HOME on the host; `endpoint` a hub other than the public one;
    `client` the `hf` program as root finds it (a name or an absolute path).
    """

    kind: ClassVar[str] = "model"
    plan_phase: ClassVar[int] = 2

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$"), Attribute()]
    ref: Annotated[str | None, Field(pattern=r"^[\w.-]+$"), Attribute()] = None
    home: PlainPath
    endpoint: str | None = None
    client: str = "hf"

    @property
    def throttle(self) -> str:
        """So many hosts fetch models at once."""
        return "download"
