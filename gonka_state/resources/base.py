"""What every resource is: a frozen model that knows its name, its attributes and their harm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from gonka_state.core.change import Action, AttributeChange, Effect, worst

if TYPE_CHECKING:
    from gonka_state.core.observation import Value


@dataclass(frozen=True, slots=True)
class Attribute:
    """Marks a field as compared: `Annotated[str | None, Attribute(effect=...)]`.

    Fields without it are inputs: they say how to look or how to apply, and are not compared.
    """

    effect: Effect = Effect.SAFE


class Resource(BaseModel):
    """One declared thing on a host.

    `None` means unset, and unset means unmanaged. `needs` names further resources that must be in
    place first, as `kind:name` of the same host or `host/kind:name`, besides what the kind itself says.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kind: ClassVar[str]
    removable: ClassVar[bool] = False
    human: ClassVar[bool] = False
    consent: ClassVar[str] = ""
    """What `--allow` must name before an irreversible step of this kind runs."""
    plan_phase: ClassVar[int] = 1
    """The phase of the deployment plan this kind belongs to, for `--only`."""
    on_create: ClassVar[Effect] = Effect.SAFE
    on_delete: ClassVar[Effect] = Effect.DESTRUCTIVE
    on_follow: ClassVar[Effect] = Effect.SAFE
    """The harm of following something it is made from, told while nobody knows whether it must."""

    name: str = Field(min_length=1)
    state: Literal["present", "absent"] = "present"
    needs: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def subject(self) -> str | None:
        """The host this resource is about, where that is not the host it lives on."""
        return None

    @property
    def told(self) -> tuple[str, ...]:
        """What `validate` tells of it before anybody looked, in lines; a command to be typed stands alone."""
        return ()

    @property
    def in_phase(self) -> int:
        """The phase of the deployment plan that this resource belongs to."""
        return self.plan_phase

    @property
    def throttle(self) -> str:
        """The name of the limit on how many such steps run at once over all hosts; empty for none.

        Limits are `launch` (run.throttle) and `download` (run.downloads).
        """
        return ""

    @property
    def warns(self) -> bool:
        """True where a difference is only shown: it changes no exit status and holds back nothing."""
        return False

    def attributes(self) -> dict[str, Value]:
        """Declared attributes in JSON form; unset ones are left out."""
        declared = {name for name in type(self).model_fields if self.marker(name) is not None}
        values = self.model_dump(mode="json", include=declared, by_alias=True)
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def marker(cls, attribute: str) -> Attribute | None:
        """The mark of an attribute, by field name, alias or the first part of a path."""
        head = attribute.split(".", 1)[0]
        for name, info in cls.model_fields.items():
            if head in (name, info.alias):
                return next((mark for mark in info.metadata if isinstance(mark, Attribute)), None)
        return None

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """How much harm this change can do; a kind that knows more overrides it."""
        if action is Action.CREATE:
            return self.on_create
        if action is Action.DELETE:
            return self.on_delete
        marks = (self.marker(change.name) for change in changes)
        return worst(mark.effect if mark else Effect.SAFE for mark in marks)
