"""One line of the setup report, and the lines about this host's keys (gonka-contract 1.9)."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.core.bech32 import account_address, address_of

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState
    from gonka_state.lab.standins.jsons import Json

KEY_BYTES = 33
KEYRING = Path("/root/.inference/keyring-file")
Check = dict[str, Any]


def check(name: str, *, ok: bool | None, message: str, **details: Json) -> Check:
    """One line of the report; None is what could not be found out."""
    status = "UNAVAILABLE" if ok is None else "PASS" if ok else "FAIL"
    line: Check = {"id": name, "status": status, "message": message}
    return {**line, "details": details} if details else line


def account_key_valid(text: str) -> bool:
    """Whether ACCOUNT_PUBKEY is a compressed public key in base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return len(key) == KEY_BYTES and key[0] in {2, 3}


class Keys:
    """The addresses of the keys that this host works with; empty where there is none."""

    def __init__(self, state: ApiState, keyring: Path = KEYRING) -> None:
        self.pubkey = state.environ.get("ACCOUNT_PUBKEY", "")
        self.cold = account_address(self.pubkey) if account_key_valid(self.pubkey) else ""
        self.name = state.environ.get("KEY_NAME", "")
        self.found = bool(self.name) and (keyring / f"{self.name}.info").exists()
        self.addresses = sorted(address_of(bytes.fromhex(path.stem)) for path in keyring.glob("*.address"))

    @property
    def warm(self) -> str:
        """The warm key's address: the only one in the keyring that is not the account's."""
        return next((address for address in self.addresses if self.found and address != self.cold), "")

    def checks(self) -> list[Check]:
        """The lines about keys."""
        alone = self.cold not in self.addresses
        lines = [
            check("cold_key_configured", ok=True, message="Cold key is configured", address=self.cold)
            if self.cold
            else check("cold_key_configured", ok=False, message="Cold key is not configured"),
            check(
                "cold_key_not_in_keyring",
                ok=alone,
                message="Cold key correctly NOT in keyring"
                if alone
                else "Cold key is in keyring (should only be in environment config)",
            ),
        ]
        if not self.found:
            message = f"Warm key '{self.name}' not found in keyring: {self.name}.info: key not found"
            return [*lines, check("warm_key_in_keyring", ok=False, message=message)]
        said = f"Warm key '{self.name}' found in keyring"
        match = "Warm key address matches signer address"
        return [
            *lines,
            check("warm_key_in_keyring", ok=True, message=said),
            check("warm_key_address_match", ok=True, message=match),
        ]
