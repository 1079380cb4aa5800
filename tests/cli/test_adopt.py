"""`adopt` on the command line: what is refused before a host is touched."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.ssh_server import server

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


def test_a_key_that_is_not_the_pinned_one_is_never_pinned_beside_it(
    program: Callable[..., Ran], tmp_path: Path
) -> None:
    """What answers there may be somebody in between."""
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    for name in ("key", "pinned", "other"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    with server(paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "other"))) as port:
        kind, pinned = (tmp_path / "pinned.pub").read_text(encoding="utf-8").split()[:2]
        known = tmp_path / "known"
        known.write_text(f"[127.0.0.1]:{port} {kind} {pinned}\n", encoding="utf-8")

        ran = program(
            "adopt", "--cluster", "old", "network=127.0.0.1", "--port", str(port),
            "--key", str(tmp_path / "key"), "--known-hosts", str(known),
        )  # fmt: skip

    assert ran.status == 3
    assert f"if the host was reinstalled: ssh-keygen -R '[127.0.0.1]:{port}' -f {known}; " in ran.err
    assert "if not, do not connect" in ran.err
