"""Commands for one host, as far as they come without one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("logs", "tiny-c", "api"), "tiny-c: no such host"),
        (("logs", "tiny-a", "api"), "tiny-a has no service api"),
        (("logs", "tiny-a"), "Missing argument 'SERVICE'"),
        (("tunnel", "a", "0"), "0 is not in the range 1<=x<=65535"),
        (("tunnel", "b", "http"), "'http' is not a valid integer"),
    ],
)
def test_what_does_not_exist_is_refused(
    program: Program, tiny: Tiny, words: tuple[str, ...], said: str
) -> None:
    ran = program(*words, "--path", tiny.file)

    assert ran.status == 4
    assert said in ran.err


def test_a_port_that_is_in_use_here_is_not_taken(program: Program, tiny: Tiny) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])

        ran = program("tunnel", "tiny-a", port, "--path", tiny.file)

    assert ran.status == 4
    assert f"port {port} of this machine is in use" in ran.err
    assert "--local 0" in ran.err


def test_where_nobody_answers_ssh_says_why(program: Program, tiny: Tiny) -> None:
    ran = program("tunnel", "tiny-a", "9200", "--local", "0", "--path", tiny.file)

    assert ran.status == 1
    assert "tiny-a (root@127.0.0.1, port 1) cannot be reached: ssh says why above" in ran.err


SSH = """\
#!/bin/sh
echo "$$" >"$0.new" && mv "$0.new" "$0.pid"
exec sleep 60
"""
SERVICE = "      - {kind: compose-service, name: api, directory: /opt/gonka, project: join}\n"
TUNNEL = ("tunnel", "tiny-b", "9200", "--local", "0")


@pytest.mark.parametrize(
    ("words", "number", "status"),
    [
        (TUNNEL, signal.SIGINT, 0),
        (TUNNEL, signal.SIGTERM, 0),
        (TUNNEL, signal.SIGHUP, 0),
        (TUNNEL, signal.SIGKILL, -signal.SIGKILL),
        (("logs", "tiny-b", "api", "--follow"), signal.SIGTERM, 0),
        (("logs", "tiny-b", "api"), signal.SIGHUP, 130),
    ],
)
def test_no_way_to_a_host_stays_open_however_it_ends(
    tiny: Tiny, tmp_path: Path, words: tuple[str, ...], number: signal.Signals, status: int
) -> None:
    with Path(tiny.file).open("a", encoding="utf-8") as file:
        file.write(SERVICE)
    client = tmp_path / "bin" / "ssh"
    client.parent.mkdir()
    client.write_text(SSH)
    client.chmod(0o755)
    process = subprocess.Popen(
        [sys.executable, "-m", "gonka_state", *words, "--path", tiny.file],
        env=os.environ | {"PATH": f"{client.parent}:{os.environ['PATH']}"},
        # A runner in the background hands down ignored signals.
        preexec_fn=lambda: number == signal.SIGKILL or signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
    )
    started = client.with_name("ssh.pid")
    assert _soon(started.exists)

    process.send_signal(number)

    assert process.wait(10) == status
    assert _soon(lambda: not _runs(int(started.read_text())))


def _runs(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status != "Z"


def _soon(look: Callable[[], bool]) -> bool:
    """Whether it comes true within ten seconds."""
    for _ in range(100):
        if look():
            return True
        time.sleep(0.1)
    return False
