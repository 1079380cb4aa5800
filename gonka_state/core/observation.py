"""What a look says about one resource. Unknown is never absent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Value: TypeAlias = Any
"""JSON-like: str, int, bool, None, list or dict of these. Sets are sorted lists."""


@dataclass(frozen=True, slots=True)
class Present:
    """The resource is there.

    `attributes` have the shape of the desired ones. `details` are never compared: they tell the
    operation what the look already knows (a rule that is in the way, a container's id).
    `reason` explains a difference to a person, `hint` says what to do about it (lines; a command to be
    typed stands on a line of its own). `human` says why only a human may close it, where no operation of
    ours is allowed to. `blocks` false: of what needs this, what differs holds back only what cannot be taken
    back. `before_removal` are attributes that must be so in an earlier step than its removal; empty once
    nothing is left to be done.
    """

    attributes: Mapping[str, Value]
    details: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""
    human: str = ""
    hint: str = ""
    blocks: bool = True
    before_removal: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Absent:
    """The look succeeded and the resource is not there. `human` and `hint` are as for what is present."""

    details: Mapping[str, Value] = field(default_factory=dict)
    reason: str = ""
    human: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The look could not tell: `reason` says why, `hint` what to do.

    `pending_on` names a kind whose pending steps on this host will make it known (an API that is not
    deployed yet); with no such step in the plan it is plain unknown.
    """

    reason: str
    hint: str = ""
    pending_on: str = ""


Observation: TypeAlias = Present | Absent | Unknown

OBSERVE_AGAIN = "take a new snapshot: gonka-state observe"
"""What to do where a look is older than the wish."""


def not_looked_at(what: str) -> Unknown:
    """Nothing is known of something that was declared after the look."""
    return Unknown(f"{what} was not looked at", OBSERVE_AGAIN)


@dataclass(frozen=True, order=True, slots=True)
class Unmanaged:
    """Something on a host that nobody declared; counted, listed on request, never touched."""

    host: str
    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """Something worth telling at the end of a report; information, never compared.

    `name` is what it is about, `text` is for people, and `values` are the same for programs.
    """

    host: str
    kind: str
    name: str
    text: str
    values: Mapping[str, Value] = field(default_factory=dict)
