"""An ML node as the network node's Admin API knows it (gonka-contract 1)."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.resources.base import Attribute, Resource

_PORT = Field(ge=1, le=65535)


class NodeResource(Resource):
    """`name` is the node's id, the key of everything (gonka-contract 11.1).

    Compared: what the API lets one declare. Never compared: `node_num`, `state.*` and `hardware`, which
    the API rewrites by itself. `models` maps a model id to `{args: [...]}`; args are compared as a list.
    `about` is the host the node runs on. `api` is the Admin API's base URL on the network host, `public_api`
    the public one's there and `public_url` as the world knows it; `seed_api` answers for the chain where our
    own does not. `account` is the cluster's address on the chain. `management` is the ML node's own API as the
    network host reaches it.
    """

    kind: ClassVar[str] = "node"
    plan_phase: ClassVar[int] = 5
    removable: ClassVar[bool] = True
    on_create: ClassVar[Effect] = Effect.DISRUPTIVE

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    host: Annotated[str, Attribute(effect=Effect.DISRUPTIVE)]
    inference_port: Annotated[int, _PORT, Attribute(effect=Effect.DISRUPTIVE)]
    poc_port: Annotated[int, _PORT, Attribute(effect=Effect.DISRUPTIVE)]
    max_concurrent: Annotated[int, Field(gt=0), Attribute(effect=Effect.DISRUPTIVE)] = 500
    inference_segment: Annotated[str, Attribute(effect=Effect.DISRUPTIVE)] = ""
    poc_segment: Annotated[str, Attribute(effect=Effect.DISRUPTIVE)] = ""
    models: Annotated[dict[str, Any], Field(min_length=1), Attribute(effect=Effect.DISRUPTIVE)]
    enabled: Annotated[bool | None, Attribute(effect=Effect.DISRUPTIVE)] = None
    about: str | None = None
    api: str = "http://127.0.0.1:9200"
    public_api: str = "http://127.0.0.1:8000"
    public_url: str | None = None
    seed_api: str | None = None
    account: str | None = None
    management: str | None = None

    @property
    def subject(self) -> str | None:
        """The host the node runs on."""
        return self.about

    def effect(self, action: Action, changes: tuple[AttributeChange, ...]) -> Effect:
        """Every write to the broker may disturb what the node is doing, whatever it is about."""
        return Effect.DISRUPTIVE if action is Action.UPDATE else super().effect(action, changes)

    @field_validator("host")
    @classmethod
    def _bare_host(cls, value: str) -> str:
        if "://" in value or "/" in value or ":" in value:
            raise ValueError(f"{value!r} must be a bare host name or address, without scheme and port")
        return value

    @field_validator("models")
    @classmethod
    def _args(cls, value: dict[str, Any]) -> dict[str, Any]:
        return {model: {"args": list((entry or {}).get("args") or [])} for model, entry in value.items()}
