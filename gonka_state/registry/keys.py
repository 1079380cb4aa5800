"""Kinds of keys: the account's, the keyring on the network host, and the warm key in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import backup_observed, keyring, keyring_observed, services
from gonka_state.kind import Kind, Need
from gonka_state.resources.account import AccountResource
from gonka_state.resources.keyring import KeyringResource
from gonka_state.resources.warm_key import WarmKeyResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(resource=AccountResource, fact=keyring.FACT, observe=keyring_observed.observe_account),
    Kind(resource=KeyringResource, fact=keyring.FACT, observe=keyring_observed.observe_keyring),
    Kind(
        resource=WarmKeyResource,
        fact=keyring.FACT,
        observe=keyring_observed.observe_warm_key,
        needs=(
            Need("keyring"),
            Need("restored-keys", backup_observed.in_keyring),
            Need("repository", services.in_checkout),
            Need("directory"),
            Need("file", services.in_project),
            Need("env-file", services.in_project),
            Need("compose-images", services.of_project),
        ),
    ),
)
