"""Whether a host without keys may make new ones: not while a backup has them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from gonka_state.core.change import Effect
from gonka_state.resources.base import Attribute, Resource
from gonka_state.resources.directory import AbsolutePath

KEYS = MappingProxyType(
    {
        "keyring": ".inference/keyring-file/*.info",
        "node-key": ".inference/config/node_key.json",
        "consensus-key": ".tmkms/secrets/priv_validator_key.softsign",
    }
)
"""The keys of a network host, in its compose project (gonka-contract 6.1)."""
SETTLED = "/var/lib/gonka-state/backup/settled.json"
"""Where it is noted on the host which keys may be new, and by whose word."""


class RestoredKeysResource(Resource):
    """`name` is the compose project's directory.

    In sync where every key that the newest snapshot has is there, or where somebody said that it may be new.
    `program` is the directory of the backup's program; `account` and `seed_api` tell whether this is a cluster's first
    launch. `file` is the cluster's, for the command that restores.
    """

    kind: ClassVar[str] = "restored-keys"
    plan_phase: ClassVar[int] = 3
    consent: ClassVar[str] = "fresh-keys"

    name: AbsolutePath
    program: AbsolutePath
    directory: AbsolutePath
    services: tuple[str, ...] = Field(default=(), strict=False)
    file: str = ""
    account: str = ""
    seed_api: str = ""
    settled: Annotated[Literal[True], Attribute(effect=Effect.IRREVERSIBLE)] = True
