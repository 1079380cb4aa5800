"""ufw as a whole, what a port of the host lets in, and what a port published by Docker lets in."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.sources import Sources

Policy = Literal["allow", "deny", "reject"]

_LAST_PORT = 65535
_KEEPING_OUT = frozenset({"deny", "reject"})
_STRICTNESS = {"allow": 0, "limit": 1, "deny": 2, "reject": 2}


class FirewallResource(Resource):
    """ufw: on or off and its default policies. One per host, named `ufw`."""

    kind: ClassVar[str] = "firewall"
    on_create: ClassVar[Effect] = Effect.DISRUPTIVE

    name: str = "ufw"
    enabled: Annotated[bool | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    incoming: Annotated[Policy | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    outgoing: Annotated[Policy | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    routed: Annotated[Policy | None, Attribute(effect=Effect.DISRUPTIVE)] = None


class FirewallRuleResource(Resource):
    """Who may reach a port of the host itself (ufw, chain INPUT), as one set of sources.

    Identity is the meaning: direction, interface, port, protocol and whether it lets in or keeps out; it
    is never a position or a spelling. `sources` are CIDRs, `any` (v4 and v6), or empty for nobody. The
    look answers what ufw has saved and what the kernel does; both must equal the wish.
    """

    kind: ClassVar[str] = "firewall-rule"
    removable: ClassVar[bool] = True
    on_create: ClassVar[Effect] = Effect.SAFE

    name: str = ""
    port: str = Field(pattern=r"^(\d{1,5}(:\d{1,5})?|any)$")
    protocol: Literal["tcp", "udp", "any"] = "tcp"
    direction: Literal["in", "out"] = "in"
    interface: str | None = None
    action: Annotated[Literal["allow", "limit", "deny", "reject"], Attribute()] = "allow"
    sources: Annotated[Sources, Attribute(effect=Effect.DISRUPTIVE)] = ("any",)
    # ufw takes no single quote and no line break in a comment.
    comment: Annotated[str | None, Field(pattern=r"^[^'\n]+$"), Attribute()] = None

    model_config = Resource.model_config | {"populate_by_name": True}

    @model_validator(mode="before")
    @classmethod
    def _name(cls, values: object) -> object:
        if isinstance(values, dict) and not values.get("name"):
            keeps_out = values.get("action") in _KEEPING_OUT
            parts = [values["direction"]] if values.get("direction", "in") != "in" else []
            parts += ["deny"] if keeps_out else []
            where = f"%{values['interface']}" if values.get("interface") else ""
            parts.append(f"{values.get('port')}/{values.get('protocol', 'tcp')}{where}")
            values = {**values, "name": ":".join(parts)}
        return values

    @model_validator(mode="after")
    def _range(self) -> Self:
        if ":" in self.port and self.protocol == "any":
            raise ValueError("a range of ports needs a protocol, tcp or udp")
        low, _, high = self.port.partition(":")
        if self.port != "any" and not 1 <= int(low) <= int(high or low) <= _LAST_PORT:
            raise ValueError("expected a port from 1 to 65535, or a range of two, the lower one first")
        return self

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """Letting more in than before is safe for the running; letting in less can cut somebody off."""
        keeps_out = self.action in _KEEPING_OUT
        if action is Action.CREATE and keeps_out:
            return Effect.DISRUPTIVE
        if action is not Action.UPDATE:
            return super().effect(action, changes)
        return Effect.DISRUPTIVE if any(_narrows(change, keeps_out) for change in changes) else Effect.SAFE


def _narrows(change: AttributeChange, keeps_out: bool) -> bool:  # noqa: FBT001 (of the rule)
    before, after = change.before, change.after
    if change.name == "from":
        less, more = (before, after) if keeps_out else (after, before)
        return not set(more or ()) <= set(less or ())
    if change.name == "action":  # several that are saved stand together, as in allow+limit
        return _STRICTNESS[str(after)] > min(_STRICTNESS.get(one, 0) for one in str(before).split("+"))
    return False


class ContainerPortResource(Resource):
    """Who may reach a port published by Docker (chain DOCKER-USER), which ufw does not see.

    `sources` as for a rule. The look answers whom the kernel really lets through, v4 and v6, whatever
    chain decides it; a rule of somebody else that lets in more is drift here and is named.
    """

    kind: ClassVar[str] = "container-port"
    removable: ClassVar[bool] = True
    on_create: ClassVar[Effect] = Effect.DISRUPTIVE

    name: str = ""
    port: int = Field(ge=1, le=65535)
    protocol: Literal["tcp", "udp"] = "tcp"
    sources: Annotated[Sources, Attribute(effect=Effect.DISRUPTIVE)] = ()

    model_config = Resource.model_config | {"populate_by_name": True}

    @model_validator(mode="before")
    @classmethod
    def _name(cls, values: object) -> object:
        if isinstance(values, dict) and not values.get("name"):
            values = {**values, "name": f"{values.get('port')}/{values.get('protocol', 'tcp')}"}
        return values
