"""The cluster's lock and the connection that carries it: a real SSH server, a real flock."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.desired import Login, Run, Timeouts
from gonka_state.errors import RefusedError
from gonka_state.operations.base import Do
from tests.ssh_server import server

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.engine.lock import Lock
    from gonka_state.engine.session import Session


@dataclass
class Site:
    """A host whose lock files are in `place`."""

    place: Path
    login: Login

    @contextmanager
    def connected(self) -> Iterator[Session]:
        """A session with that host."""
        from gonka_state.engine.session import connect  # noqa: PLC0415 (loads pyinfra)

        run = Run(retries=1, timeouts=Timeouts(connect=0))
        with connect({"net": self.login}, run, on_event=lambda *_: None) as session:
            assert not session.unreachable, session.unreachable
            yield session

    @contextmanager
    def locked(self) -> Iterator[tuple[Session, Lock]]:
        """A session that has the lock."""
        from gonka_state.engine.lock import cluster_lock  # noqa: PLC0415 (loads pyinfra)

        with self.connected() as session, cluster_lock(session, "c", ["net"]) as lock:
            assert lock is not None
            yield session, lock

    def another(self) -> str:
        """What a second converge is told; empty where it gets the lock, and lets go of it again."""
        try:
            with self.locked():
                return ""
        except RefusedError as error:
            return error.message

    def holder(self) -> int:
        """The process that has the lock, or had it last."""
        return int((self.place / "c.lock").read_text().split()[-1])

    def lose(self, session: Session) -> None:
        """The connection ends, and the host knows it."""
        client: Any = session.hosts["net"].connector.client  # type: ignore[attr-defined]  # ssh connector only
        client.close()
        until = time.monotonic() + 20
        while Path(f"/proc/{self.holder()}").exists() and time.monotonic() < until:
            time.sleep(0.05)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root_env: dict[str, str]) -> Iterator[Site]:
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    from gonka_state.engine import lock  # noqa: PLC0415 (loads pyinfra)

    monkeypatch.setenv("PATH", root_env["PATH"])
    monkeypatch.setattr(lock, "_LOCK", lock._LOCK.replace("/run/gonka-state", str(tmp_path)))  # noqa: SLF001
    host_key, own = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
    own.write_private_key_file(str(tmp_path / "key"))
    with server(host_key, executes=True) as port:
        pinned = f"[127.0.0.1]:{port} {host_key.get_name()} {host_key.get_base64()}\n"
        (tmp_path / "known_hosts").write_text(pinned)
        files = str(tmp_path / "key"), str(tmp_path / "known_hosts")
        yield Site(tmp_path, Login("net", "127.0.0.1", "root", port, *files))


def test_a_connection_that_still_answers_stays_with_all_that_runs_on_it(site: Site) -> None:
    from gonka_state.engine.hands import Hands  # noqa: PLC0415 (loads pyinfra)

    with site.locked() as (session, lock):
        ran: list[int] = []
        other = threading.Thread(
            target=lambda: ran.append(Hands(session).do("net", Do("a long step", "sleep 1.5")).status)
        )
        other.start()
        time.sleep(0.5)

        session.reconnect("net")
        other.join()

        assert ran == [0]
        assert "is being converged by" in site.another()
        assert lock.lost() == ""


def test_a_host_that_is_gone_is_tried_once_for_all_who_wait(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gonka_state.engine import session as module  # noqa: PLC0415 (loads pyinfra)
    from gonka_state.engine.unreachable import Unreachable  # noqa: PLC0415 (as above)

    tried: list[str] = []

    def in_vain(host: object, *_: object) -> Unreachable:
        tried.append(str(host))
        time.sleep(0.5)
        return Unreachable("is off")

    with site.locked() as (session, _):
        monkeypatch.setattr(module, "answers", lambda *_: False)
        monkeypatch.setattr(module, "_close", lambda *_: None)
        monkeypatch.setattr(module, "_connect", in_vain)
        said: list[object] = []
        lanes = [threading.Thread(target=lambda: said.append(session.reconnect("net"))) for _ in range(4)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        assert (len(tried), said) == (1, [Unreachable("is off")] * 4)

        # Whoever asks later tries again.
        session.reconnect("net")
        assert len(tried) == 2


def test_a_lock_lost_with_its_connection_is_taken_back(site: Site) -> None:
    with site.locked() as (session, lock):
        site.lose(session)

        assert lock.lost() == ""
        assert "is being converged by" in site.another()
    assert site.another() == ""


@pytest.mark.parametrize("holds", [True, False])
def test_a_lock_that_somebody_else_had_meanwhile_is_gone(site: Site, *, holds: bool) -> None:
    with site.locked() as (session, lock):
        site.lose(session)
        with site.locked() as (_, other):
            if holds:
                assert "has taken it since" in lock.lost()
            assert other.lost() == ""

        assert lock.lost().startswith("the lock on net was lost, and ")
        assert lock.lost().endswith(" has taken it since"), "once refused, always refused"


def test_a_holder_that_no_longer_answers_makes_room_for_its_own_successor(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a connection whose end the host has not noticed."""
    from gonka_state.engine import lock as module  # noqa: PLC0415 (loads pyinfra)

    monkeypatch.setattr(module, "FRESH", 0)
    with site.locked() as (_, lock):
        assert lock.lost() == ""
        holder = site.holder()
        os.kill(holder, signal.SIGSTOP)

        assert lock.lost() == ""
        assert site.holder() != holder
        assert "is being converged by" in site.another()


def test_a_lock_that_nobody_gives_back_stops_and_says_why(site: Site) -> None:
    with site.locked() as (session, lock):
        site.lose(session)
        (site.place / "key").unlink()

        assert lock.lost().startswith("the lock on net was lost and could not be taken again: the SSH key ")


def test_a_jump_host_that_fell_silent_is_connected_to_anew(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    from gonka_state.engine.jump import JumpError, Jumps  # noqa: PLC0415 (as above)

    def silence(*_: object, **__: object) -> None:
        raise paramiko.SSHException("Timeout opening channel.")

    jumps, behind = Jumps(5), replace(site.login, address="10.77.0.1", via=(site.login,))
    with closing(jumps):
        with pytest.raises(JumpError, match="forwards nothing"):
            jumps.channel(behind)
        silent_one = jumps._clients[behind.via]  # noqa: SLF001 (which connection it is, is the point)
        with monkeypatch.context() as patch:
            patch.setattr(paramiko.Transport, "open_channel", silence)
            with pytest.raises(JumpError, match="Timeout"):
                jumps.channel(behind)
        with pytest.raises(JumpError, match="forwards nothing"):
            jumps.channel(behind)

        assert jumps._clients[behind.via] is not silent_one  # noqa: SLF001 (as above)
