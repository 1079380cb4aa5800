"""The look and the connection: tried again within bounds, one host never ends the others', reasons people can act on."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.desired import Login, Run, Timeouts

if TYPE_CHECKING:
    from gonka_state.core.plan import HostLooked
    from tests.engine.conftest import Paper

QUICK = Run(retries=0, timeouts=Timeouts(connect=1))


def looked(paper: Paper) -> dict[str, HostLooked]:
    return {host.host: host for host in paper.look().plan.hosts}


def test_one_exec_per_host(paper: Paper) -> None:
    paper.note("network", "a")
    paper.copy("network", "c", of="a")
    paper.note("ml-01", "b")

    assert {name: host.execs for name, host in looked(paper).items()} == {"network": 1, "ml-01": 1}
    assert paper.execs == {"network": 1, "ml-01": 1}


def test_a_lost_look_is_tried_again_and_said(paper: Paper) -> None:
    paper.run = Run(retries=1)
    paper.note("network", "a")
    paper.drop["network"] = lambda number: number == 1

    seen = looked(paper)

    assert (seen["network"].unknown, seen["network"].execs) == ("", 2)
    assert any("looking again: the connection was lost" in text for _, text in paper.events)


def test_tries_are_bounded(paper: Paper) -> None:
    paper.run = Run(retries=1)
    paper.note("network", "a")
    paper.drop["network"] = lambda _number: True

    seen = looked(paper)

    assert seen["network"].unknown.startswith("the connection was lost")
    assert paper.execs["network"] == 2
    assert not seen["ml-01"].unknown


def test_a_value_that_is_not_set_is_not_asked_for(paper: Paper) -> None:
    paper.note("network", "a", withheld="account.pubkey")

    assert looked(paper)["network"].execs == 1


def reasons(login: Login) -> tuple[str, str]:
    # Loads pyinfra, which collecting tests must not.
    from gonka_state.engine.session import connect  # noqa: PLC0415

    said: list[str] = []
    with connect({login.host: login}, QUICK, on_event=lambda _where, text: said.append(text)) as session:
        assert list(session.unreachable) == [login.host]
        problem = session.unreachable[login.host]
        return problem.reason, problem.hint


@pytest.fixture
def login(tmp_path: Path) -> Login:
    key, known_hosts = tmp_path / "key", tmp_path / "known_hosts"
    from cryptography.hazmat.primitives import serialization as to  # noqa: PLC0415 (a heavy import, only here)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    private = Ed25519PrivateKey.generate()
    key.write_bytes(private.private_bytes(to.Encoding.PEM, to.PrivateFormat.OpenSSH, to.NoEncryption()))
    known_hosts.touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Login("ml-01", "127.0.0.1", "ubuntu", port, str(key), str(known_hosts))


def test_a_host_where_nobody_listens_says_so(login: Login) -> None:
    assert reasons(login) == (
        f"no answer from 127.0.0.1 port {login.port}",
        f"is the host on, and is sshd listening on port {login.port}?",
    )


def test_a_port_where_nobody_speaks_is_not_waited_for(login: Login) -> None:
    with socket.create_server(("127.0.0.1", login.port)):
        reason, hint = reasons(login)

    assert reason == f"nothing that speaks SSH answers on 127.0.0.1 port {login.port}"
    assert hint == "does sshd listen there, and is the host not overloaded?"


def test_a_key_that_is_none_is_named(login: Login) -> None:
    Path(login.key).write_text("no key", encoding="utf-8")

    assert reasons(login) == (
        f"the SSH key {login.key} cannot be read",
        "is it a private key, and without a passphrase?",
    )


def test_a_missing_key_is_named_before_connecting(tmp_path: Path, login: Login) -> None:
    (tmp_path / "key").unlink()

    assert reasons(login) == (
        f"the SSH key {tmp_path / 'key'} is not there",
        "set ssh.key in the cluster's YAML",
    )


def test_a_host_without_a_pinned_key_is_not_connected_to(tmp_path: Path, login: Login) -> None:
    (tmp_path / "known_hosts").unlink()

    reason, hint = reasons(login)

    assert reason.startswith("no host key is pinned")
    assert "gonka-state hosts trust" in hint
