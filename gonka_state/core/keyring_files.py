"""The file names of a keyring of the file backend: names and addresses of its keys, without its passphrase.

It has `<name>.info` per key and `<40 hex>.address` with the address as its name (gonka-contract 6.1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gonka_state.core.bech32 import address_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_ADDRESS = re.compile(r"([0-9a-f]{40})\.address")


def key_names(files: Sequence[str]) -> tuple[str, ...]:
    """The names of the keys."""
    return tuple(file.removesuffix(".info") for file in files if file.endswith(".info"))


def key_addresses(files: Sequence[str]) -> tuple[str, ...]:
    """The addresses (`gonka1…`) of the keys."""
    found = (_ADDRESS.fullmatch(file) for file in files)
    return tuple(address_of(bytes.fromhex(match[1])) for match in found if match)
