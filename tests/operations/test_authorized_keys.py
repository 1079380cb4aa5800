"""Keys are added to what is there, byte for byte."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.core.observation import Present
from gonka_state.operations.authorized_keys import apply
from gonka_state.resources.authorized_keys import AuthorizedKeysResource
from tests.operations.hands import carry_out, step_of

if TYPE_CHECKING:
    from pathlib import Path

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlw69h2UqhJsPXkWxSibiQi2mgTlG2/I4ywr+DguqXI it's jane"


def add(file: Path) -> None:
    wish = AuthorizedKeysResource(name=getpass.getuser(), keys=(KEY,))
    seen = Present({}, {"file": str(file), "missing": [KEY]})
    carry_out(apply(step_of(wish, Action.UPDATE, "keys", seen=seen)))


@pytest.mark.parametrize("before", ["", "# mine\nssh-rsa AAAA x\n", "no newline"])
def test_a_key_is_added_to_what_is_there(tmp_path: Path, before: str) -> None:
    file = tmp_path / "authorized keys"
    file.write_text(before)
    file.chmod(0o600)

    add(file)

    added = f"{before}\n" if before and not before.endswith("\n") else before
    assert file.read_text() == f"{added}{KEY}\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_directory_is_made_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / ".ssh" / "authorized_keys"

    add(file)

    assert file.read_text() == f"{KEY}\n"
    assert file.parent.stat().st_mode & 0o777 == 0o700
