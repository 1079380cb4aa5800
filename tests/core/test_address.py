"""Addresses survive the way to text and back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.desired import Source

WORD = st.text(string.ascii_lowercase + string.digits + "-._", min_size=1)
NAME = st.text(string.ascii_letters + string.digits + "-._/: ", min_size=1)


@given(WORD, WORD, NAME)
def test_an_address_is_read_back(host: str, kind: str, name: str) -> None:
    address = Address(host, kind, name)

    assert Address.parse(str(address)) == address
    assert Address.parse(address.local, host=host) == address


@pytest.mark.parametrize(
    "text", ["", "file", "file:", ":name", "file:/etc/x", "/file:/etc/x", "host/:x", "a/b/file:x"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        Address.parse(text)


def test_a_named_host_wins_over_the_default() -> None:
    assert Address.parse("ml-01/file:/a", host="network").host == "ml-01"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("/opt/join/", "/opt/join"),
        ("//opt//./join", "/opt/join"),
        ("/", "/"),
        ("22/tcp", "22/tcp"),
        ("Qwen/Big/", "Qwen/Big/"),
    ],
)
def test_a_path_is_one_name_however_it_is_written(written: str, plain: str) -> None:
    assert Address("h", "file", written).plain() == Address("h", "file", plain)


def test_addresses_sort_by_host_kind_and_name() -> None:
    addresses = [
        Address("b", "a", "a"),
        Address("a", "b", "a"),
        Address("a", "a", "b"),
        Address("a", "a", "a"),
    ]

    assert [str(address) for address in sorted(addresses)] == ["a/a:a", "a/a:b", "a/b:a", "b/a:a"]


def test_a_source_is_shown_as_editors_jump_to_it() -> None:
    assert str(Source("desired/cluster2.yaml", 7, 3)) == "desired/cluster2.yaml:7"
