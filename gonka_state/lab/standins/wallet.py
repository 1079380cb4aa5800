"""Keys from mnemonics: BIP 39, BIP 32 and secp256k1, so that an address really follows from its words.

Address and public key: gonka-contract 6.1.

Slow and not constant in time: for a rehearsal only.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from mnemonic import Mnemonic

from gonka_state.core.bech32 import account_address

PATH = (44 | 1 << 31, 1200 | 1 << 31, 0 | 1 << 31, 0, 0)
"""m/44'/1200'/0'/0/0: the chain's own coin type."""
STRENGTH = 256

_PRIME = 2**256 - 2**32 - 977
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_GENERATOR = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)
_Point = tuple[int, int]


def new_words() -> str:
    """A fresh mnemonic of 24 words."""
    return Mnemonic("english").generate(STRENGTH)


def valid(words: str) -> bool:
    """Whether these are words of the list with the right checksum."""
    return Mnemonic("english").check(words)


def public_key(words: str) -> str:
    """The account's public key, base64 of 33 bytes."""
    return base64.b64encode(_compressed(_private(Mnemonic.to_seed(words)))).decode()


def address(words: str) -> str:
    """The account's address."""
    return account_address(public_key(words))


def _private(seed: bytes) -> int:
    digest = hmac.digest(b"Bitcoin seed", seed, hashlib.sha512)
    key, chain = int.from_bytes(digest[:32], "big"), digest[32:]
    for step in PATH:
        data = b"\0" + key.to_bytes(32, "big") if step >> 31 else _compressed(key)
        digest = hmac.digest(chain, data + step.to_bytes(4, "big"), hashlib.sha512)
        key, chain = (int.from_bytes(digest[:32], "big") + key) % _ORDER, digest[32:]
    return key


def _compressed(private: int) -> bytes:
    x, y = _times(private)
    return bytes([2 + y % 2]) + x.to_bytes(32, "big")


def _times(factor: int) -> _Point:
    total: _Point | None = None
    point = _GENERATOR
    while factor:
        if factor & 1:
            total = point if total is None else _added(total, point)
        point = _added(point, point)
        factor >>= 1
    if total is None:
        raise ValueError("zero is no private key")
    return total


def _added(one: _Point, other: _Point) -> _Point:
    """The sum of two points that are not each other's opposite."""
    if one == other:
        slope = 3 * one[0] ** 2 * pow(2 * one[1], -1, _PRIME)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _PRIME)
    x = (slope**2 - one[0] - other[0]) % _PRIME
    return x, (slope * (one[0] - x) - one[1]) % _PRIME
