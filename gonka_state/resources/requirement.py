"""A condition of a host that no operation of ours closes: its OS, its cores, its Docker, its network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gonka_state.resources.base import Resource

if TYPE_CHECKING:
    from typing import Self

Topic = Literal[
    "os", "architecture", "cores", "memory", "memory-ratio", "python", "disk", "disk-size", "disk-type",
    "link-speed", "docker", "docker-service", "compose", "nvidia-runtime", "container-toolkit", "cuda",
    "gpus", "gpu-model", "ports", "reach", "time", "sudo",
]  # fmt: skip

PATHS = frozenset({"disk", "disk-size", "disk-type"})
"""Topics about the disk behind `path`."""

TARGET = re.compile(r"https?://[^/\s]+(/\S*)?|tcp://(\[[0-9A-Fa-f:.]+\]|[^:/\s\[\]]+):[0-9]{1,5}")
"""What can be asked for an answer."""

GOOD = {"ports": "free", "reach": "all answer"}
"""Topics that are their own condition, and how a met one is called."""


class RequirementResource(Resource):
    """One condition on one topic: `minimum` and `maximum` (one or both), `equals`, or `at_most`.

    `ports` (those that containers of this host publish, and those of the word, are not held by somebody
    else) and `reach`
    (everything in `targets`, `http(s)://…` or `tcp://HOST:PORT`, answers) are conditions by themselves.

    `level` block: unmet, it is drift that only a human closes, and the kinds in `blocks` wait on this
    host; once the path `until` is there, only what cannot be taken back waits. `level` warn: shown, changes no
    exit status. `path` is for the disk's topics; the bytes already
    in the directories of `counts` count as free there, so that a met requirement stays met once the
    declared models are there.
    Sizes are bytes; versions are compared number by number; `time` is seconds of skew, `at_most`;
    `link-speed` Mb/s; `memory-ratio` memory over the memory of all cards.
    """

    kind: ClassVar[str] = "requirement"
    human: ClassVar[bool] = True

    topic: Topic
    minimum: str | int | None = None
    maximum: str | int | None = None
    equals: str | int | bool | None = None
    at_most: float | None = None
    path: str = "/"
    counts: tuple[str, ...] = Field(default=(), strict=False)
    targets: tuple[Annotated[str, Field(pattern=f"^(?:{TARGET.pattern})$")], ...] = Field(
        default=(), strict=False
    )
    ports: tuple[Annotated[str, Field(pattern=r"^[0-9]{1,5}/(?:tcp|udp)$")], ...] = Field(
        default=(), strict=False
    )
    level: Literal["block", "warn"] = "block"
    blocks: tuple[str, ...] = Field(default=(), strict=False)
    until: str = ""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        bounds = None if self.minimum is None and self.maximum is None else "bounds"
        given = [item for item in (bounds, self.equals, self.at_most) if item is not None]
        if self.topic in GOOD and given:
            raise ValueError(f"{self.topic} is a condition by itself: take the others away")
        if self.topic not in GOOD and len(given) != 1:
            raise ValueError("give exactly one of minimum, equals and at_most (maximum may go with minimum)")
        if self.targets and self.topic != "reach":
            raise ValueError("targets are for the topic reach")
        if self.ports and self.topic != "ports":
            raise ValueError("ports are for the topic ports")
        return self

    @property
    def warns(self) -> bool:
        """A condition of level warn."""
        return self.level == "warn"

    @property
    def condition(self) -> str:
        """The condition in words, `>= 28.4`, `12.6 to 12.9` or `debian 12`."""
        if self.topic in GOOD:
            return GOOD[self.topic]
        if self.minimum is not None and self.maximum is not None:
            return f"{self.minimum} to {self.maximum}"
        if self.minimum is not None:
            return f">= {self.minimum}"
        if self.maximum is not None:
            return f"<= {self.maximum}"
        if self.at_most is not None:
            return f"<= {self.at_most}"
        return str(self.equals).lower() if isinstance(self.equals, bool) else str(self.equals)
