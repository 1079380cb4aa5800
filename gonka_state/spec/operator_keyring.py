"""The account's keyring on the operator's machine, read from its file names: no passphrase, no program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.core.keyring_files import key_addresses, key_names

if TYPE_CHECKING:
    from pathlib import Path

BACKEND = "keyring-file"


@dataclass(frozen=True, slots=True)
class OperatorKeyring:
    """What the names say. `unread` is why there is nothing to say; empty when there is."""

    path: str
    names: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    unread: str = ""

    def contradicts(self, name: str | None, address: str) -> str:
        """In words, how it differs from the declared name and public key; empty where it agrees."""
        if self.unread:
            return ""
        if name is not None and name not in self.names:
            return f"holds no key {name!r} but {', '.join(self.names) or 'none at all'}: {self.path}"
        if address not in self.addresses:
            found = ", ".join(self.addresses) or "no address"
            return f"holds {found}, but network.account.pubkey is the key of {address}: {self.path}"
        return ""


def read(home: Path) -> OperatorKeyring:
    """The file backend's keyring below `home`, which is what `inferenced --home` was given."""
    place = home / BACKEND
    try:
        files = sorted(path.name for path in place.iterdir())
    except OSError as error:
        return OperatorKeyring(str(place), unread=f"{place} cannot be read: {error.strerror}")
    return OperatorKeyring(str(place), key_names(files), key_addresses(files))
