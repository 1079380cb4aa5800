"""Addresses: published vectors, and what a mistyped one is told."""

from __future__ import annotations

import base64
import hashlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.bech32 import account_address, address_of, decode, encode, raw_address
from gonka_state.core.ripemd160 import ripemd160

GENERATOR = base64.b64encode(
    bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
).decode()


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", "9c1185a5c5e9fc54612808977ee8f548b2258d31"),
        ("abc", "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
        ("message digest", "5d0689ef49d2fae572b881b123a85ffa21595f36"),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + string.ascii_lowercase + string.digits,
            "b0e20b6e3116640286ed3a87a5713079b21f5189",
        ),
        ("1234567890" * 8, "9b752e45573d4b39f4dbd3323cab82bf63326bfb"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "12a053384a9c0c88e405a06c27dcf49ada62eb2b",
        ),
    ],
)
def test_the_authors_own_vectors(text: str, digest: str) -> None:
    assert ripemd160(text.encode()).hex() == digest


@given(st.binary(max_size=300))
def test_it_agrees_with_openssl_where_that_has_it(data: bytes) -> None:
    try:
        theirs = hashlib.new("ripemd160", data).digest()
    except ValueError:
        pytest.skip("this OpenSSL has no RIPEMD-160")

    assert ripemd160(data) == theirs


def test_the_curves_generator_has_the_address_that_bitcoin_knows() -> None:
    # BIP 173's own example: witness version 0 stands before the program, hence the first value.
    assert raw_address(account_address(GENERATOR)).hex() == "751e76e8199196d454941c45d1b3a323f1433bd6"


@pytest.mark.parametrize(
    "text",
    [
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
    ],
)
def test_texts_that_bip_173_calls_valid(text: str) -> None:
    prefix, _, _ = text.rpartition("1")
    try:
        assert decode(text)[0] == prefix
    except ValueError as error:
        # Valid bech32 need not be whole bytes.
        assert "whole bytes" in str(error)  # noqa: PT017


@given(st.binary(min_size=20, max_size=20))
def test_an_address_leads_back_to_its_bytes(raw: bytes) -> None:
    assert raw_address(address_of(raw)) == raw


@given(st.binary(min_size=20, max_size=20), st.data())
def test_one_wrong_character_is_always_noticed(raw: bytes, data: st.DataObject) -> None:
    address = address_of(raw)
    at = data.draw(st.integers(6, len(address) - 1))
    letter = data.draw(st.sampled_from([c for c in "qpzry9x8gf2tvdw0s3jn54khce6mua7l" if c != address[at]]))

    with pytest.raises(ValueError, match="mistyped"):
        raw_address(address[:at] + letter + address[at + 1 :])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gonka", "no bech32"),
        ("", "no bech32"),
        ("GONKA1QQQQQQ", "no bech32"),
        ("gonka1bbbbbbb", "a character that bech32 has not"),
        (encode("gonka", b"short"), "no address of an account"),
        (encode("cosmos", bytes(20)), "no address of an account"),
    ],
)
def test_what_is_no_address_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        raw_address(text)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    try:
        raw_address(text)
    except ValueError:
        return
    assert text.startswith("gonka1")
