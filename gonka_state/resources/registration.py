"""The cluster's registration on the chain, by the account (cold) key: made once, changed by that key alone."""

from __future__ import annotations

from typing import Annotated, ClassVar

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath


class RegistrationResource(Resource):
    """`name` is the account's (cold) address; `pubkey` its public key, which the address follows from.

    Compared: `url`, the public URL, and `consensus_key`, that of the own chain node where none is declared.
    It is made in a container of `service` of the compose project in `directory`. `node` is the chain node's
    container. `seed_api` tells the truth and takes the registration, `seed_rpc` takes what the cold key
    signs; `key_name` and `home` are the cold key's name and keyring on the operator's machine, for commands
    that are printed.
    """

    kind: ClassVar[str] = "registration"
    plan_phase: ClassVar[int] = 3
    consent: ClassVar[str] = "registration"
    on_create: ClassVar[Effect] = Effect.IRREVERSIBLE

    url: Annotated[str, Attribute(effect=Effect.IRREVERSIBLE)]
    consensus_key: Annotated[str | None, Attribute(effect=Effect.IRREVERSIBLE)] = None
    pubkey: str
    directory: AbsolutePath
    service: str = "api"
    node: str = "node"
    seed_api: str
    seed_rpc: str
    key_name: str = "gonka-account-key"
    home: str = ""
