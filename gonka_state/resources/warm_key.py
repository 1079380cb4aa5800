"""The ML operational (warm) key: made once, in the keyring of the network host, never made again."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, SecretStr

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class WarmKeyResource(Resource):
    """`name` is KEY_NAME, the key's name in `keyring`.

    It is made in a container of `service` of the compose project in `directory`. `cluster` marks the
    operator's file with its mnemonic, `mnemonic_file` (absolute, on this machine; empty: the mnemonic is
    shown on the terminal). `account` is the cold address, empty while unknown; `public_api` is asked
    whether that is registered when the key is missing. `waits` says why there is no `password`.
    """

    kind: ClassVar[str] = "warm-key"
    plan_phase: ClassVar[int] = 3
    consent: ClassVar[str] = "warm-key"
    on_create: ClassVar[Effect] = Effect.IRREVERSIBLE

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$")
    keyring: AbsolutePath
    directory: AbsolutePath
    service: str = "api"
    cluster: str = ""
    password: SecretStr | None = Field(default=None, repr=False)
    waits: str = ""
    mnemonic_file: str = ""
    account: str = ""
    public_api: str = "http://127.0.0.1:8000"
    is_account: Annotated[Literal[False], Attribute()] = False
