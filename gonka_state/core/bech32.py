"""Addresses on the chain: bech32 (BIP 173) over 20 bytes, which follow from a public key.

A key's address is `ripemd160(sha256(public key))` under the prefix `gonka` (gonka-contract 6.1), so it is
known without a keyring, and the file names of a keyring hold it too.
"""

from __future__ import annotations

import base64
import hashlib
from functools import reduce

from gonka_state.core.ripemd160 import ripemd160

PREFIX = "gonka"
ADDRESS_BYTES = 20

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM = 6
_FIVE, _EIGHT = 5, 8


def account_address(pubkey: str) -> str:
    """The address (`gonka1…`) of a public key in base64, 33 bytes as in ACCOUNT_PUBKEY.

    Raises:
        ValueError: this is no base64.
    """
    return address_of(ripemd160(hashlib.sha256(base64.b64decode(pubkey, validate=True)).digest()))


def address_of(raw: bytes) -> str:
    """The address of 20 raw bytes, as the name of a keyring's `<40 hex>.address` file holds them."""
    return encode(PREFIX, raw)


def raw_address(text: str) -> bytes:
    """The 20 bytes of an address.

    Raises:
        ValueError: it is no address of this chain, or mistyped.
    """
    prefix, raw = decode(text)
    if prefix != PREFIX or len(raw) != ADDRESS_BYTES:
        raise ValueError(f"{text!r} is no address of an account: expected {PREFIX}1 and 38 characters")
    return raw


def encode(prefix: str, data: bytes) -> str:
    """Bytes under a prefix, with the checksum."""
    values = _regroup(data, _EIGHT, _FIVE)
    rest = _polymod([*_expanded(prefix), *values, *([0] * _CHECKSUM)]) ^ 1
    values += [(rest >> (_FIVE * (_CHECKSUM - 1 - i))) & 31 for i in range(_CHECKSUM)]
    return f"{prefix}1{''.join(_ALPHABET[value] for value in values)}"


def decode(text: str) -> tuple[str, bytes]:
    """The prefix and the bytes of a bech32 text.

    Raises:
        ValueError: it is no bech32, or its checksum is wrong.
    """
    prefix, found, body = text.rpartition("1")
    if not found or not prefix or text != text.lower() or len(body) < _CHECKSUM:
        raise ValueError(f"{text!r} is no bech32 text")
    if set(body) - set(_ALPHABET):
        raise ValueError(f"{text!r} holds a character that bech32 has not")
    values = [_ALPHABET.index(letter) for letter in body]
    if _polymod([*_expanded(prefix), *values]) != 1:
        raise ValueError(f"{text!r} is mistyped: its checksum is wrong")
    return prefix, bytes(_regroup(values[:-_CHECKSUM], _FIVE, _EIGHT))


def _expanded(prefix: str) -> list[int]:
    return [*(ord(letter) >> 5 for letter in prefix), 0, *(ord(letter) & 31 for letter in prefix)]


def _polymod(values: list[int]) -> int:
    return reduce(_folded, values, 1)


def _folded(rest: int, value: int) -> int:
    top = rest >> 25
    rest = (rest & 0x1FFFFFF) << 5 ^ value
    for bit, generator in enumerate(_GENERATOR):
        rest ^= generator if top >> bit & 1 else 0
    return rest


def _regroup(data: bytes | list[int], size: int, wanted: int) -> list[int]:
    """The same bits in groups of another size; packing fills the last group up, unpacking drops a rest.

    Raises:
        ValueError: the dropped rest is a whole group or not zero.
    """
    bits, count, found = 0, 0, list[int]()
    for value in data:
        bits, count = bits << size | value, count + size
        while count >= wanted:
            count -= wanted
            found.append(bits >> count & (1 << wanted) - 1)
        bits &= (1 << count) - 1
    if wanted < size:
        return [*found, bits << wanted - count] if count else found
    if count >= size or bits:
        raise ValueError("it does not hold whole bytes")
    return found
