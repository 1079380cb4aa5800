"""One resource's way from what is to what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gonka_state.core.address import Address
    from gonka_state.core.observation import Value


class Action(StrEnum):
    """What applying would do to a resource."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    UNKNOWN = "unknown"


class Effect(StrEnum):
    """How much harm a change can do, mildest first."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    IRREVERSIBLE = "irreversible"
    DESTRUCTIVE = "destructive"

    @property
    def rank(self) -> int:
        """Position in the order of harm, 0 for safe."""
        return list(Effect).index(self)


def worst(effects: Iterable[Effect]) -> Effect:
    """The most harmful of several effects; safe when there are none."""
    return max(effects, key=lambda effect: effect.rank, default=Effect.SAFE)


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """One attribute's value before and after. `name` is a path such as `models.X.args`."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Change:
    """What one resource needs.

    `reason` is for people, nothing decides on it. `held` says why the step may not run now, and
    `human` that no step of ours closes it. `conditional` means: in sync now, but something it is made
    from changes, so it may have to follow; or not to be seen before another step. Consent covers it, the
    next look decides. `blocks` false means: a difference that somebody should close, but that holds back
    nothing but what cannot be taken back (a permission that expires soon). `consent` is the name that
    `--allow` must have given before the step may run; empty for the effect's own name. `maintenance` says
    that somebody works on it by hand: whatever it is, it is neither pending nor unknown.
    """

    address: Address
    action: Action
    attributes: tuple[AttributeChange, ...] = ()
    effect: Effect = Effect.SAFE
    reason: str = ""
    hint: str = ""
    held: str = ""
    human: bool = False
    warning: bool = False
    conditional: bool = False
    consent: str = ""
    blocks: bool = True
    maintenance: str = ""

    @property
    def pending(self) -> bool:
        """True where the world differs from the wish and somebody has to act."""
        differs = self.action in {Action.CREATE, Action.UPDATE, Action.DELETE}
        return differs and not self.warning and not self.maintenance

    @property
    def runnable(self) -> bool:
        """True where a step of ours may close the gap now."""
        return self.pending and not self.held and not self.human
