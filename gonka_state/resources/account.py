"""The cluster's account (cold) key: its public half is declared, its other half is never on a host."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class AccountResource(Resource):
    """`name` is the key's name in the operator's keyring.

    `address` follows from the declared public key; `keyring` is the warm key's keyring on this host, where
    the account's must not be. `waits` says why the account is not known, `advice` what to do then, in lines.
    """

    kind: ClassVar[str] = "account"
    plan_phase: ClassVar[int] = 0
    human: ClassVar[bool] = True

    address: str = ""
    keyring: AbsolutePath
    on_this_host: Annotated[Literal[False], Attribute()] = False
    waits: str = ""
    advice: tuple[str, ...] = Field(default=(), strict=False)

    @property
    def told(self) -> tuple[str, ...]:
        """The address, or how to come by one."""
        return self.advice if self.waits else (f"account {self.name}: {self.address}",)
