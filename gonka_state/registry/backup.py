"""Kinds of the backup, and of keys that it may have to bring back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import backup, backup_observed
from gonka_state.kind import Kind, Need
from gonka_state.registry.programs import packaged
from gonka_state.resources.backup import BackupResource
from gonka_state.resources.restored_keys import RestoredKeysResource

if TYPE_CHECKING:
    from collections.abc import Sequence

_SET_UP = (
    Need("directory", backup_observed.of_program),
    Need("file", backup_observed.of_program),
    Need("package", packaged("restic", "python3", "curl")),
)

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=RestoredKeysResource,
        fact=backup.FACT,
        observe=backup_observed.observe_restored,
        needs=_SET_UP,
    ),
    Kind(
        resource=BackupResource,
        fact=backup.FACT,
        observe=backup_observed.observe_backup,
        needs=(
            *_SET_UP,
            Need("restored-keys"),
            # The first snapshot waits for what is to be in it; a later one is taken whatever else is held.
            Need("warm-key", backup_observed.in_keyring, first=True),
            Need("compose-service", backup_observed.writes_keys, first=True),
        ),
    ),
)
