"""A condition of a host that no operation of ours closes: its OS, its cores, its Docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, model_validator

from gonka_state.resources.base import Resource

if TYPE_CHECKING:
    from typing import Self

Topic = Literal[
    "os", "architecture", "cores", "memory", "disk", "docker", "compose", "nvidia-runtime", "gpus",
    "gpu-model", "time", "sudo",
]  # fmt: skip


class RequirementResource(Resource):
    """One condition on one topic. Exactly one of `minimum`, `equals` and `at_most` is given.

    `level` block: unmet, it is drift that only a human closes, and the kinds in `blocks` wait on this
    host. `level` warn: shown, changes no exit status. `path` is for `disk`; the bytes already in the
    directories of `counts` count as free there, so that a met requirement stays met once the declared
    models are there.
    Sizes are bytes; versions are compared number by number; `time` is seconds of skew, `at_most`.
    """

    kind: ClassVar[str] = "requirement"
    human: ClassVar[bool] = True

    topic: Topic
    minimum: str | int | None = None
    equals: str | int | bool | None = None
    at_most: float | None = None
    path: str = "/"
    counts: tuple[str, ...] = Field(default=(), strict=False)
    level: Literal["block", "warn"] = "block"
    blocks: tuple[str, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        given = [item for item in (self.minimum, self.equals, self.at_most) if item is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of minimum, equals and at_most")
        return self

    @property
    def warns(self) -> bool:
        """A condition of level warn."""
        return self.level == "warn"

    @property
    def condition(self) -> str:
        """The condition in words, `>= 28.4` or `debian 12`."""
        if self.minimum is not None:
            return f">= {self.minimum}"
        if self.at_most is not None:
            return f"<= {self.at_most}"
        return str(self.equals)
