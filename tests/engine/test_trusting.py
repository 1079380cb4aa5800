"""Asking for keys: every type a server has, jump hosts before what is behind them, and no way round a pin."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.desired import Login
from gonka_state.core.trust import Terms, Verdict
from tests.ssh_server import server

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def keys(tmp_path: Path) -> dict[str, Any]:
    """Host keys of three types, and a user's key."""
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    found: dict[str, Any] = {}
    for name, kind in (("ed25519", "ed25519"), ("ecdsa", "ecdsa"), ("rsa", "rsa"), ("user", "ed25519")):
        path = tmp_path / name
        subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
        found[name] = paramiko.PKey.from_path(path)
    return found


def login(tmp_path: Path, port: int, **words: Any) -> Login:  # noqa: ANN401 (Login's own)
    return Login("h", "127.0.0.1", "u", port, str(tmp_path / "user"), str(tmp_path / "pins"), **words)


def judged(logins: list[Login], terms: Terms | None = None) -> list[Any]:
    from gonka_state.engine.jump import Jumps  # noqa: PLC0415 (loads gevent)
    from gonka_state.engine.trusting import judge  # noqa: PLC0415

    jumps = Jumps(5)
    try:
        return [trust for _, trust in judge(logins, jumps, terms or Terms(), 5)]
    finally:
        jumps.close()


def test_every_key_of_a_server_is_shown_with_its_own_fingerprint(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    with server(keys["ed25519"], keys["ecdsa"], keys["rsa"]) as port:
        (found,) = judged([login(tmp_path, port)])

    assert found.verdict is Verdict.NEW
    assert [key.data for key in found.keys] == [
        keys[name].get_base64() for name in ("ed25519", "ecdsa", "rsa")
    ]
    assert [key.fingerprint for key in found.keys] == [
        keys[name].fingerprint for name in ("ed25519", "ecdsa", "rsa")
    ]


def test_a_server_that_changed_its_key_is_told_from_one_that_did_not(
    tmp_path: Path, keys: dict[str, Any]
) -> None:
    pins = tmp_path / "pins"
    with server(keys["rsa"]) as port:
        pins.write_text(f"[127.0.0.1]:{port} {keys['rsa'].get_name()} {keys['rsa'].get_base64()}\n")
        (same,) = judged([login(tmp_path, port)])
        pins.write_text(f"[127.0.0.1]:{port} {keys['ed25519'].get_name()} {keys['ed25519'].get_base64()}\n")
        (changed,) = judged([login(tmp_path, port)])

    assert (same.verdict, changed.verdict) == (Verdict.PINNED, Verdict.CHANGED)


def test_nobody_there_is_unknown_and_says_why(tmp_path: Path, keys: dict[str, Any]) -> None:
    del keys
    with socket.create_server(("127.0.0.1", 0)) as held:
        closed = held.getsockname()[1]
    (found,) = judged([login(tmp_path, closed)])

    assert found.verdict is Verdict.UNKNOWN
    assert found.reason


def test_a_jump_host_that_is_not_pinned_or_changed_is_not_used(tmp_path: Path, keys: dict[str, Any]) -> None:
    pins = tmp_path / "pins"
    with server(keys["rsa"]) as port:
        behind = login(tmp_path, 9, via=(login(tmp_path, port),))
        pins.write_text("# nothing\n")
        (strange,) = judged([behind])
        pins.write_text(f"[127.0.0.1]:{port} ssh-ed25519 {keys['ed25519'].get_base64()}\n")
        (other,) = judged([behind])
        pins.write_text(f"[127.0.0.1]:{port} ssh-rsa {keys['rsa'].get_base64()}\n")
        (useless,) = judged([behind])

    assert strange.reason == "the jump host 127.0.0.1: its host key is not pinned"
    assert "the jump host 127.0.0.1: its host key is not" in other.reason
    assert useless.reason == "its jump host forwards nothing to 127.0.0.1 port 9"


def test_jump_hosts_come_before_what_is_behind_them_and_each_once(tmp_path: Path) -> None:
    from gonka_state.engine.trusting import waves  # noqa: PLC0415 (loads gevent)

    first, second = login(tmp_path, 1), login(tmp_path, 2)
    targets = [login(tmp_path, port, via=(first, second)) for port in (3, 4)]

    found = waves([*targets, first])

    assert [[item.port for item in wave] for wave in found] == [[1], [2], [3, 4]]
    assert found[1][0].via == (first,)
