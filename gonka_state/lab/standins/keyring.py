"""The SDK's keyring on disk: `<name>.info`, `<40 hex>.address`, `keyhash`, as the file backend lays them out.

The files and the prompts: gonka-contract 6.1.

The items are encrypted by means of the standard library, not as the real ones are (JWE): only the names,
the prompts and that nothing stands in the clear matter to an operator.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import warnings
from typing import TYPE_CHECKING

from gonka_state.core.bech32 import raw_address
from gonka_state.lab.standins.commandline import Failed, Line, ask_password, complain

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.lab.standins.jsons import Json

ATTEMPTS = 3
ROUNDS = 8192


class Keyring:
    """One backend's directory. `test` has a fixed passphrase and asks nobody."""

    def __init__(self, line: Line) -> None:
        backend = line.flag("keyring-backend", "test")
        if backend not in {"test", "file"}:
            raise Failed(f"unknown keyring backend {backend}")
        root = line.home if not line.flag("keyring-dir") else type(line.home)(line.flag("keyring-dir"))
        self.directory: Path = root / f"keyring-{backend}"
        self._passphrase = "test" if backend == "test" else ""

    def names(self) -> list[str]:
        """Every key's name, without a passphrase."""
        return sorted(path.name.removesuffix(".info") for path in self.directory.glob("*.info"))

    def key(self, name: str) -> Json | None:
        """One key, or None where there is none of that name: then no passphrase is asked for."""
        found = self._get(f"{name}.info")
        return None if found is None else json.loads(found)

    def name_of(self, address: str) -> str | None:
        """The name of the key with this address."""
        found = self._get(f"{raw_address(address).hex()}.address")
        return None if found is None else found.decode().removesuffix(".info")

    def save(self, name: str, address: str, pubkey: str) -> Json:
        """Write a key's two items, the name first.

        Raises:
            Failed: another name has this key, or the passphrase was not given.
        """
        if (self.directory / f"{raw_address(address).hex()}.address").exists():
            raise Failed("duplicated address created")
        record: Json = {"name": name, "type": "local", "address": address, "pubkey": pubkey}
        self._set(f"{name}.info", json.dumps(record).encode())
        self._set(f"{raw_address(address).hex()}.address", f"{name}.info".encode())
        return record

    def delete(self, record: Json) -> None:
        """Remove a key's items."""
        (self.directory / f"{raw_address(record['address']).hex()}.address").unlink(missing_ok=True)
        (self.directory / f"{record['name']}.info").unlink()

    def _get(self, item: str) -> bytes | None:
        path = self.directory / item
        if not path.exists():
            return None
        salt, sealed, proof = (base64.urlsafe_b64decode(part) for part in path.read_text().split(".")[1:])
        secret = self._secret(salt)
        if not hmac.compare_digest(hmac.digest(secret, sealed, "sha256"), proof):
            raise Failed("integrity check failed")
        return _masked(secret, sealed)

    def _set(self, item: str, data: bytes) -> None:
        salt = os.urandom(16)
        secret = self._secret(salt)
        sealed = _masked(secret, data)
        parts = (b'{"enc":"lab"}', salt, sealed, hmac.digest(secret, sealed, "sha256"))
        text = ".".join(base64.urlsafe_b64encode(part).decode() for part in parts)
        path = self.directory / item
        path.touch(mode=0o600)
        path.write_text(text)

    def _secret(self, salt: bytes) -> bytes:
        return hashlib.pbkdf2_hmac("sha256", self._unlocked().encode(), salt, ROUNDS)

    def _unlocked(self) -> str:
        """The passphrase, asked for once per run: twice for a new keyring, which then keeps its hash."""
        self.directory.mkdir(parents=True, mode=0o700, exist_ok=True)
        keyhash = self.directory / "keyhash"
        for attempt in range(1, ATTEMPTS + 1):
            if self._passphrase:
                return self._passphrase
            try:
                given = ask_password(f"Enter keyring passphrase (attempt {attempt}/{ATTEMPTS}):")
                if keyhash.exists():
                    if hashed(given, keyhash.read_text()) != keyhash.read_text():
                        raise Failed("incorrect passphrase")  # noqa: TRY301 (one way out for all of them)
                elif given != ask_password("Re-enter keyring passphrase:"):
                    raise Failed("passphrase do not match")  # noqa: TRY301
                else:
                    keyhash.touch(mode=0o600)
                    keyhash.write_text(hashed(given))
            except Failed as error:
                complain(error)
                continue
            self._passphrase = given
        if not self._passphrase:
            raise Failed("too many failed passphrase attempts")
        return self._passphrase


def _masked(secret: bytes, data: bytes) -> bytes:
    """The data under a stream made from the secret; the same again undoes it."""
    stream = b"".join(
        hmac.digest(secret, number.to_bytes(8, "big"), "sha256") for number in range(len(data) // 32 + 1)
    )
    return bytes(one ^ other for one, other in zip(data, stream, strict=False))


def hashed(passphrase: str, like: str = "") -> str:
    """The bcrypt hash of a passphrase, with the salt of another one to compare with that.

    Raises:
        Failed: nothing here knows bcrypt: an image whose Python is 3.13 or later.
    """
    try:
        import bcrypt  # noqa: PLC0415 (the operator's machine has it, the image has crypt)
    except ImportError:
        return _crypted(passphrase, like)
    salt = like[:29].encode() or bcrypt.gensalt(10, b"2a")
    return bcrypt.hashpw(passphrase.encode(), salt).decode()


def _crypted(passphrase: str, like: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            import crypt  # noqa: PLC0415
        except ImportError as error:
            raise Failed("this image has no bcrypt") from error
    made = crypt.crypt(passphrase, like or crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 10))  # noqa: S324 (bcrypt)
    return made.replace("$2b$", "$2a$", 1)
