"""What the account (cold) key permits the warm key: only the cold key can grant it, we verify it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class GrantsResource(Resource):
    """`name` is the account's (cold) address, which grants.

    `warm_key` is the grantee's name in `keyring` on this host. Compared: the message types that are
    `missing`, those `expiring` within `renew_days`, and where declared the fee allowance. `directory` and
    `service` are the API's, which needs them. The rest is for reading the chain and for the command that is
    printed (see RegistrationResource).
    """

    kind: ClassVar[str] = "grants"
    plan_phase: ClassVar[int] = 3
    human: ClassVar[bool] = True

    messages: tuple[str, ...] = Field(default=tuple(RELEASES[CURRENT]), strict=False, min_length=1)
    renew_days: int = Field(default=30, ge=0)
    missing: Annotated[tuple[()], Attribute()] = ()
    expiring: Annotated[tuple[()], Attribute()] = ()
    fee_allowance: Annotated[Literal[True] | None, Attribute()] = None
    warm_key: str
    keyring: AbsolutePath
    directory: AbsolutePath
    service: str = "api"
    node: str = "node"
    seed_api: str
    seed_rpc: str
    key_name: str = "gonka-account-key"
    home: str = ""
