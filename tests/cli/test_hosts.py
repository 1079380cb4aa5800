"""`hosts trust` and `hosts check` as far as they come without a host."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.ssh_server import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


def test_where_nobody_answers_nothing_is_pinned(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    ran = program("hosts", "trust", tiny.file, "--yes")

    assert ran.status == 1
    assert "no answer from 127.0.0.1 port 1" in ran.out
    assert ran.out.endswith("Trust: 2 unknown\n")
    assert (tmp_path / "known_hosts").read_text() == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fingerprint", "SHA256:short"), "--fingerprint SHA256:short is not SHA256: and 43 characters"),
        (("--replace", "tiny-c"), "--replace tiny-c: no such host"),
        (("--host", "tiny-c"), "--host tiny-c: no such host"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    program: Program, tiny: Tiny, words: tuple[str, ...], said: str
) -> None:
    ran = program("hosts", "trust", tiny.file, *words)

    assert ran.status == 4
    assert said in ran.err


def test_the_checklist_tells_what_this_machine_lacks(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    key = tmp_path / "key"
    missing = program("hosts", "check", tiny.file, "--host", "a", "--json")
    key.write_text("secret")
    key.chmod(0o644)
    open_ = program("hosts", "check", tiny.file)

    checks = json.loads(missing.out)["clusters"][0]["hosts"]
    assert list(checks) == ["tiny-a"]
    assert [(check["name"], check["verdict"]) for check in checks["tiny-a"]["checks"]] == [
        ("connection", "unknown"),
        ("private key", "blocked"),
        ("host key", "blocked"),
    ]
    assert (missing.status, open_.status) == (1, 1)
    assert f"{key} has mode 0644: others may read it" in open_.out
    assert f"chmod 600 {key}" in open_.out
    assert "Check: 0 ok, 0 warn, 4 blocked, 2 unknown (2 hosts" in open_.out


@pytest.fixture
def host_key(tmp_path: Path) -> Any:  # noqa: ANN401 (paramiko's)
    """A server's key."""
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    path = tmp_path / "host-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return paramiko.PKey.from_path(path)


@pytest.fixture
def served(tiny: Tiny, host_key: Any) -> Iterator[Tiny]:  # noqa: ANN401 (as above)
    """The small cluster, with a server where its first host should be."""
    with server(host_key) as port:
        text = (tiny.root / "tiny.yaml").read_text(encoding="utf-8")
        tiny.write(text.replace("port: 1}", f"port: {port}}}"))
        yield tiny


def answered(tiny: Tiny, answer: str) -> int:
    """The status of `hosts trust` when somebody at a terminal answers its question."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{answer}\n".encode())
        words = [sys.executable, "-m", "gonka_state", "hosts", "trust", tiny.file, "--host", "a"]
        return subprocess.run(
            words, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, check=False, timeout=60
        ).returncode
    finally:
        os.close(ours)
        os.close(theirs)


def test_only_yes_pins(served: Tiny) -> None:
    pins = served.root / "known_hosts"
    pins.write_text("# by hand\n")

    assert answered(served, "y") == 2
    assert pins.read_text() == "# by hand\n"
    assert answered(served, "yes") == 0
    first, pinned = pins.read_text().splitlines()
    assert first == "# by hand"
    assert pinned.startswith("[127.0.0.1]:")
    assert pins.stat().st_mode & 0o777 == 0o644
    assert answered(served, "nobody asks") == 0


def test_without_a_terminal_only_a_known_fingerprint_or_yes_pins(
    program: Program,
    served: Tiny,
    host_key: Any,  # noqa: ANN401 (paramiko's)
) -> None:
    pins = served.root / "known_hosts"
    words = ("hosts", "trust", served.file, "--host", "a")

    alone = program(*words)
    other = program(*words, "--fingerprint", "SHA256:" + "A" * 43)
    assert (alone.status, other.status, pins.read_text()) == (6, 6, "")
    assert host_key.fingerprint in alone.out
    assert "there is no terminal to ask on" in alone.err
    assert "it shows none of the fingerprints given" in other.out

    assert program(*words, "--fingerprint", host_key.fingerprint).status == 0
    assert host_key.get_base64() in pins.read_text()


def test_a_changed_key_is_never_pinned_over_the_old_one(
    program: Program,
    served: Tiny,
    host_key: Any,  # noqa: ANN401 (paramiko's)
) -> None:
    pins = served.root / "known_hosts"
    words = ("hosts", "trust", served.file, "--host", "a", "--yes")
    assert program(*words).status == 0
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(served.root / "other")], check=True
    )
    other = (served.root / "other.pub").read_text().split()[1]
    old = pins.read_text().replace(host_key.get_base64(), other)
    pins.write_text(old)

    refused = program(*words)
    assert (refused.status, pins.read_text()) == (6, old)
    assert "pinned so far" in refused.out
    assert program(*words, "--replace", "a").status == 0
    assert host_key.get_base64() in pins.read_text()
    assert other not in pins.read_text()
