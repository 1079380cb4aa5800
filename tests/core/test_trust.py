"""A host's keys: new ones are pinned, pinned ones are left, changed ones are refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.trust import Key, Terms, Verdict, decide


def key(kind: str, content: str) -> Key:
    return Key(kind, base64.b64encode(content.encode()).decode())


ED, ED2, RSA, RSA2 = (
    key("ssh-ed25519", "a"),
    key("ssh-ed25519", "b"),
    key("ssh-rsa", "c"),
    key("ssh-rsa", "d"),
)
KEYS = st.lists(st.sampled_from([ED, ED2, RSA, RSA2]), unique_by=lambda found: found.type, max_size=2)


@pytest.mark.parametrize(
    ("shown", "pinned", "verdict", "keys"),
    [
        ([ED, RSA], [], Verdict.NEW, [ED, RSA]),
        ([ED, RSA], [ED], Verdict.PINNED, []),
        ([ED, RSA], [ED, RSA], Verdict.PINNED, []),
        ([ED2, RSA], [ED], Verdict.CHANGED, []),
        ([ED2, RSA], [ED, RSA], Verdict.CHANGED, []),
        ([RSA], [ED], Verdict.CHANGED, []),
        ([], [], Verdict.OTHER, []),
    ],
)
def test_what_is_shown_against_what_is_pinned(
    shown: list[Key], pinned: list[Key], verdict: Verdict, keys: list[Key]
) -> None:
    found = decide("h", "a", shown, pinned, Terms())

    assert (found.verdict, list(found.keys)) == (verdict, keys)


def test_a_changed_key_says_how_to_replace_it_and_when_not_to() -> None:
    found = decide("ml-01", "a", [ED2], [ED], Terms())

    assert found.reason == "it shows another key than the pinned one"
    assert "gonka-state hosts trust --replace ml-01" in found.hint
    assert "do not connect" in found.hint


def test_only_the_host_that_is_named_is_replaced() -> None:
    terms = Terms(replace=("ml-01",))

    assert decide("ml-01", "a", [ED2], [ED], terms).verdict is Verdict.REPLACED
    assert decide("ml-02", "a", [ED2], [ED], terms).verdict is Verdict.CHANGED
    assert decide("ml-01", "a", [ED2], [], terms).verdict is Verdict.NEW


def test_expected_fingerprints_pin_only_their_keys() -> None:
    terms = Terms(expected=(RSA.fingerprint,))

    assert list(decide("h", "a", [ED, RSA], [], terms).keys) == [RSA]
    assert decide("h", "a", [ED], [], terms).verdict is Verdict.OTHER


@given(KEYS, KEYS)
def test_nothing_is_ever_pinned_over_another_key(shown: list[Key], pinned: list[Key]) -> None:
    found = decide("h", "a", shown, pinned, Terms())

    assert not (found.pins and pinned)
    if found.verdict is Verdict.PINNED:
        assert set(shown) & set(pinned)
