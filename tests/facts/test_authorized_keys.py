"""Keys: fingerprints are ssh-keygen's, options stay on the host, and a cut-off key is refused."""

from __future__ import annotations

import getpass
import importlib
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.core.ssh_key import fingerprint
from gonka_state.errors import FactError
from gonka_state.facts.authorized_keys import FACT, observe_keys, unmanaged_keys, wanted_keys
from gonka_state.facts.here import Here
from gonka_state.resources.authorized_keys import AuthorizedKeysResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Here("h", {})


@pytest.fixture
def key(tmp_path: Path) -> str:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "a comment", "-f", str(tmp_path / "k")]
    subprocess.run(words, check=True)
    return (tmp_path / "k.pub").read_text().strip()


def answer(*lines: str) -> str:
    body = "\n".join(["F /home/u/.ssh/authorized_keys", *lines])
    return f"#@x part user u\n{body}\n#@x rc 0\n"


def test_fingerprints_are_those_of_ssh_keygen(key: str, tmp_path: Path) -> None:
    said = subprocess.run(
        ["ssh-keygen", "-lf", tmp_path / "k.pub"], check=True, capture_output=True, text=True
    ).stdout

    assert fingerprint(key.split()[1]) == said.split()[1]


def test_a_key_is_there_whatever_its_comment(key: str) -> None:
    wish = AuthorizedKeysResource(name="u", keys=(key,))
    kind, blob, *_ = key.split()

    state = FACT.parse(answer(f"K {kind} {blob} somebody else", "K ssh-ed25519 AAAA other"))

    found = observe_keys(state, wish, HERE)
    assert isinstance(found, Present)
    assert found.attributes == wanted_keys(state, wish, HERE)
    assert [item.detail for item in unmanaged_keys(state, [wish], HERE)] == ["ssh-ed25519 other"]


def test_a_missing_key_is_told_with_the_file_to_write(key: str) -> None:
    wish = AuthorizedKeysResource(name="u", keys=(key,))

    found = observe_keys(FACT.parse(answer()), wish, HERE)

    assert isinstance(found, Present)
    assert found.details == {"file": "/home/u/.ssh/authorized_keys", "missing": [key]}


@pytest.mark.parametrize(
    "keys", ["ssh-ed25519 AAAA", "ssh-ed25519", 'from="1.2.3.4" ssh-ed25519 AAAA', "x AAAA"]
)
def test_a_key_that_is_none_is_refused(keys: str) -> None:
    with pytest.raises(ValueError, match="keys"):
        AuthorizedKeysResource(name="u", keys=(keys,))


def test_a_cut_off_key_of_another_type_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="cut off or no key of its type"):
        AuthorizedKeysResource(name="u", keys=(key.replace("ssh-ed25519 ", "ssh-rsa "),))


def test_a_key_that_lost_its_end_is_refused(key: str) -> None:
    kind, blob, *_ = key.split()
    for cut in range(1, len(blob)):
        with pytest.raises(ValueError, match=r"cut off or no key of its type|pattern"):
            AuthorizedKeysResource(name="u", keys=(f"{kind} {blob[:-cut]} a comment",))


@pytest.mark.parametrize(
    "kind", [["ed25519"], ["rsa", "-b", "2048"], ["ecdsa", "-b", "521"]], ids=lambda w: w[0]
)
def test_every_kind_of_key_is_taken_whole(kind: list[str], tmp_path: Path) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    subprocess.run(["ssh-keygen", "-q", "-t", *kind, "-N", "", "-f", str(tmp_path / "k")], check=True)
    line = (tmp_path / "k.pub").read_text().strip()

    assert list(AuthorizedKeysResource(name="u", keys=(line,)).by_fingerprint().values()) == [line]


def test_this_machines_users(section: Callable[..., str]) -> None:
    me, nobody = (AuthorizedKeysResource(name=name, keys=()) for name in (getpass.getuser(), "gs-nosuch"))

    state = FACT.parse(section(FACT, [me, nobody]))

    assert state[me.name].file.startswith("/")
    assert isinstance(observe_keys(state, nobody, HERE), Unknown)


@given(st.text(), st.lists(st.text(st.characters(exclude_characters="\n"), max_size=30)))
def test_any_answer_is_understood_or_refused(text: str, lines: list[str]) -> None:
    for found in (text, answer(*(f"K {line}" for line in lines))):
        try:
            state = FACT.parse(found)
        except FactError:
            continue
        seen = observe_keys(state, AuthorizedKeysResource(name="u", keys=()), HERE)
        assert isinstance(seen, Present | Unknown)


def test_it_can_be_used_alone() -> None:
    assert "keys root" in FACT.standalone(user="root")
    with pytest.raises(FactError, match="takes user="):
        FACT.standalone(name="a")
    module = importlib.import_module("gonka_state.facts.authorized_keys")
    assert module.AuthorizedKeys.name.endswith("AuthorizedKeys")
