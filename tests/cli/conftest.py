"""A small cluster on disk, snapshots of it that were never near a host, and two ways to run the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gonka_state.cli import run as run_cli
from gonka_state.facts.snapshot import Answer, HostLook, Snapshot, dump
from tests.ssh_server import server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

CLUSTER = """\
cluster: tiny
ssh: {user: root, key: key, known_hosts: known_hosts, port: PORT}
network: {managed: elsewhere, address: 127.0.0.9}
run: {retries: 0, timeouts: {connect: 1}}
roles: {any: {}}
hosts:
  tiny-a:
    address: 127.0.0.1
    role: any
    resources:
      - {kind: file, name: /etc/one, content: "first\\n"}
      - {kind: directory, name: /srv/two, mode: "0755"}
  tiny-b:
    address: 127.0.0.2
    role: any
    resources:
      - {kind: directory, name: /srv/three, mode: "0755"}
"""
IN_SYNC = {
    "tiny-a": {"stat /etc/one": "regular file|644|root|root|6", "content /etc/one": "T\nfirst\n", "stat /srv/two": "directory|755|root|root|0"},
    "tiny-b": {"stat /srv/three": "directory|755|root|root|0"},
}  # fmt: skip
HERE = """\
cluster: here
ssh: {{user: root, key: key, known_hosts: known_hosts, port: {port}}}
network: {{managed: elsewhere, address: 127.0.0.9}}
run: {{retries: 0}}
roles: {{any: {{}}}}
hosts:
  here-a:
    address: 127.0.0.1
    role: any
    resources:
      - {{kind: file, name: {root}/one, content: "SECRET=\\"hunter2\\"\\n"}}
      - {{kind: file, name: {root}/two, content: "SECRET=\\"hunter2\\"\\n"}}
"""
OFF = HostLook(unknown="is off", hint="switch it on")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Tiny:
    """The cluster's directory."""

    root: Path

    @property
    def file(self) -> str:
        """The cluster file."""
        return str(self.root / "tiny.yaml")

    def write(self, text: str) -> None:
        """Replace the cluster file."""
        (self.root / "tiny.yaml").write_text(text, encoding="utf-8")

    def snapshot(self, name: str, **hosts: HostLook | Mapping[str, str]) -> str:
        """Write a snapshot; hosts that are not given are in sync."""
        looks = {}
        for host, parts in IN_SYNC.items():
            given = hosts.get(host.replace("-", "_"), {})
            looks[host] = given if isinstance(given, HostLook) else _look({**parts, **given})
        path = self.root / name
        path.write_text(dump(Snapshot("tiny", "2026-11-24T00:00:00+00:00", "salt", looks)), encoding="utf-8")
        return str(path)

    def in_sync(self) -> str:
        """A snapshot that equals the wish."""
        return self.snapshot("in-sync.json")

    def drifted(self) -> str:
        """A snapshot in which one file and one directory differ."""
        return self.snapshot(
            "drifted.json",
            tiny_a={"content /etc/one": "T\nchanged\n"},
            tiny_b={"stat /srv/three": "directory|700|root|root|0"},
        )

    def half(self) -> str:
        """A snapshot in which one host was off."""
        return self.snapshot("half.json", tiny_b=OFF)

    def blind(self) -> str:
        """A snapshot in which every host was off."""
        return self.snapshot("blind.json", tiny_a=OFF, tiny_b=OFF)


def _look(parts: Mapping[str, str]) -> HostLook:
    text = "".join(
        f"#@x part {name}\n{output}\n#@x rc 0 \n" for name, output in {"salt": "salt", **parts}.items()
    )
    return HostLook({"files": Answer(text)}, execs=1)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test writes into the history of whoever runs it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "gonka-state"


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """A cluster of two hosts; nobody listens on their port."""
    cluster = Tiny(tmp_path)
    cluster.write(CLUSTER.replace("PORT", "1"))
    (tmp_path / "known_hosts").touch()
    return cluster


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command line in this process."""

    def run(*arguments: str) -> Ran:
        status = run_cli(arguments)
        said = capsys.readouterr()
        return Ran(status, said.out, said.err)

    return run


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Ran]:
    """Run the command line as a program of its own, from another directory and with an empty environment."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, cwd: str = "/") -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "gonka_state", *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=60,
            cwd=cwd,
            env={"TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state"), **(env or {})},
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def document() -> Callable[[Ran], dict[str, object]]:
    """The one JSON document that a command printed."""

    def read(ran: Ran) -> dict[str, object]:
        found = json.loads(ran.out)
        assert isinstance(found, dict)
        return found

    return read


@pytest.fixture
def no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that does not mention colour."""
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    assert "NO_COLOR" not in os.environ


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Tiny]:
    """A cluster of one host, which is this machine behind a real SSH connection; what it wishes is in sync."""
    import paramiko  # noqa: PLC0415 (collecting tests must not load it)

    for name in ("key", "host-key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)], check=True
        )
    with server(paramiko.PKey.from_path(tmp_path / "host-key"), executes=True) as port:
        public = (tmp_path / "host-key.pub").read_text().split()
        (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{port} {public[0]} {public[1]}\n")
        cluster = Tiny(tmp_path)
        cluster.write(HERE.format(port=port, root=tmp_path))
        for name in ("one", "two"):
            (tmp_path / name).write_text('SECRET="hunter2"\n')
        yield cluster
