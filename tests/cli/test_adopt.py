"""`adopt` on the command line: what is refused before a host is touched."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

LOGIN = ("--key", "/nowhere/key", "--known-hosts", "/nowhere/known_hosts")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--cluster", "X y", "network=127.0.0.1"), "'X y' is no name"),
        (("--cluster", "old", "A_B=127.0.0.1"), "'A_B' is no name"),
        (
            ("--cluster", "old", "network=127.0.0.300"),
            "'127.0.0.300' is neither an IP address nor a host name",
        ),
        (("--cluster", "old", "a=127.0.0.1", "b=127.0.0.1"), "two hosts have one address"),
    ],
)
def test_what_the_file_could_not_hold_is_refused_before_connecting(
    program: Callable[..., Ran], words: tuple[str, ...], said: str
) -> None:
    ran = program("adopt", *words, *LOGIN)

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err


def test_what_to_pin_is_said_without_a_cluster_file(program: Callable[..., Ran], tmp_path: Path) -> None:
    key = str(tmp_path / "key")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)

    ran = program(
        "adopt", "--cluster", "old", "network=127.0.0.1", "--key", key, "--known-hosts", "/nowhere/known"
    )

    assert "ssh-keyscan -p 22 127.0.0.1 >> /nowhere/known" in ran.err
