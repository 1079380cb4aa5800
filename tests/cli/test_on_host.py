"""Commands for one host, as far as they come without one."""

from __future__ import annotations

import socket
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
