"""The backup's program with the real restic, where this machine has it: a snapshot and its way back."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gonka_state.spec import onhost

pytestmark = pytest.mark.skipif(
    not shutil.which("restic") or os.geteuid() != 0, reason="restic is not here, or we are not root"
)


@dataclass
class Host:
    """A directory that stands for a host."""

    home: Path

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One command of the program; Docker has nothing that runs."""
        env = {"PATH": f"{self.home}:{os.environ['PATH']}", "GONKA_STATE_BACKUP": str(self.home / "state")}
        argv = [sys.executable, "-B", str(self.home / program), *words]
        return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=120)

    def answer(self, program: str, *words: str) -> Any:  # noqa: ANN401 (JSON)
        """What it answers."""
        done = self.run(program, *words)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    @property
    def join(self) -> Path:
        """The project."""
        return self.home / "join"

    @property
    def key(self) -> Path:
        """The signer's."""
        return self.join / ".tmkms/secrets/priv_validator_key.softsign"

    @property
    def state(self) -> Path:
        """What the signer has signed."""
        return self.join / ".tmkms/state/priv_validator_state.json"


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """Keys, a database that is written to, and a repository beside them."""
    found = Host(tmp_path)
    for name in ("backup.py", "restore.py"):
        shutil.copy(Path(onhost.__file__).parent / name, tmp_path)
    (tmp_path / "docker").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "environment").write_text(f"RESTIC_PASSWORD=a b\nRESTIC_CACHE_DIR={tmp_path}/cache\n")
    join = found.join
    keyring, node = join / ".inference/keyring-file", join / ".inference/config/node_key.json"
    for file, text in {
        keyring / "w.info": "warm", node: "node", found.key: "consensus",
        found.state: '{"height": "5", "round": "1", "step": 1}', join / "config.env": "A=1",
    }.items():  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (keyring / "w.info").chmod(0o640)
    database = join / ".dapi/gonka.db"
    database.parent.mkdir()
    with sqlite3.connect(database) as writing:
        writing.execute("PRAGMA journal_mode=WAL")
        writing.execute("CREATE TABLE kv (x)")
        writing.execute("INSERT INTO kv VALUES (7)")
    writing.close()
    keys = {"keyring": f"{keyring}/*.info", "node-key": str(node), "consensus-key": str(found.key)}
    places = {
        "keyring": str(keyring),
        "node-key": str(node),
        "consensus-key": f"{join}/.tmkms",
        "database": str(database),
    }
    settings = {
        "cluster": "c", "host": "h", "tag": "gonka-state-c", "repository": f"{tmp_path}/repository", "sftp_command": "",
        "keep": ["--keep-last", "2"], "check": 9999, "directory": str(join), "database": str(database), "keys": keys,
        "places": places, "paths": [str(keyring), str(node), f"{join}/.tmkms", f"{join}/*.env"], "node": "none",
        "services": ["tmkms"], "seed_rpc": "",
    }  # fmt: skip
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    return found


def test_keys_come_back_whole_and_the_signer_never_with_an_older_state(host: Host) -> None:
    taken = host.answer("backup.py", "run")
    host.join.rename(host.home / "lost")
    everything = "keyring,node-key,database,configuration"

    placed = host.answer("restore.py", "place", taken["snapshot"], everything)
    without = host.key.exists() or host.state.exists()
    settled = json.loads((host.home / "state/settled.json").read_text())
    host.answer("restore.py", "place", taken["snapshot"], f"{everything},consensus-key", "77")

    assert len(placed) == 4
    assert not without
    assert settled["new"] == ["consensus-key"]
    assert (host.join / ".inference/keyring-file/w.info").stat().st_mode & 0o7777 == 0o640
    assert json.loads(host.state.read_text())["height"] == "77"
    with sqlite3.connect(host.join / ".dapi/gonka.db") as database:
        assert database.execute("SELECT x FROM kv").fetchall() == [(7,)]
    database.close()
    again = host.answer("restore.py", "plan", taken["snapshot"])
    assert {item["now"] for item in again["files"] if "state" not in item["path"]} == {"same"}


def test_a_restore_that_was_cut_short_before_the_key_raises_the_state_again(host: Host) -> None:
    taken = host.answer("backup.py", "run")
    host.key.unlink()

    host.answer("restore.py", "place", taken["snapshot"], "consensus-key", "99")

    assert host.key.read_text() == "consensus"
    assert json.loads(host.state.read_text())["height"] == "99"


def test_what_a_snapshot_has_beside_the_project_stays_in_it(host: Host) -> None:
    elsewhere, inside = host.home / "elsewhere", host.join / ".inference/config/a.toml"
    elsewhere.write_text("planted")
    inside.symlink_to(elsewhere)
    settings = json.loads((host.home / "settings.json").read_text())
    settings["paths"] += [str(elsewhere), str(inside)]
    (host.home / "settings.json").write_text(json.dumps(settings))
    taken = host.answer("backup.py", "run")
    elsewhere.unlink()
    inside.unlink()

    placed = host.answer("restore.py", "place", taken["snapshot"], "configuration,keyring")

    assert placed == []
    assert not elsewhere.exists()
    assert not inside.exists()
    kept = [file["path"] for file in host.answer("restore.py", "plan", taken["snapshot"])["files"]]
    assert str(host.join / "config.env") in kept


def test_what_is_there_is_never_replaced(host: Host) -> None:
    taken = host.answer("backup.py", "run")
    (host.join / ".inference/config/node_key.json").write_text("another")

    placed = host.answer(
        "restore.py", "place", taken["snapshot"], "keyring,node-key,database,consensus-key", "99"
    )

    assert placed == []
    assert (host.join / ".inference/config/node_key.json").read_text() == "another"
    assert json.loads(host.state.read_text())["height"] == "5", "a signer that lives keeps its state"


def test_old_snapshots_go_and_a_lost_key_is_not_pushed_out(host: Host) -> None:
    for _ in range(3):
        host.answer("backup.py", "run")
    before = host.answer("backup.py", "snapshots")
    host.key.unlink()

    refused = host.run("backup.py", "run")

    assert len(before) == 2
    assert (refused.returncode, "consensus-key was in the last snapshot and is gone" in refused.stderr) == (
        1,
        True,
    )
    assert host.answer("backup.py", "snapshots") == before


def test_a_repository_that_is_gone_is_not_made_anew_and_a_damaged_one_is_told(host: Host) -> None:
    repository = host.home / "repository"
    assert host.answer("backup.py", "snapshots") is None
    host.answer("backup.py", "run")
    (pack, *_) = sorted(path for path in (repository / "data").rglob("*") if path.is_file())
    pack.chmod(0o600)
    pack.write_bytes(pack.read_bytes()[:-1] + b"x")

    damaged = host.run("backup.py", "run", "--check")
    repository.rename(host.home / "unmounted")
    gone = host.run("backup.py", "run")

    status = json.loads((host.home / "state/status.json").read_text())
    assert damaged.returncode == 1
    assert status["check_problem"]
    assert "is gone" in gone.stderr
    assert not repository.exists()


def test_a_repository_that_cannot_be_reached_is_not_taken_for_none(host: Host) -> None:
    (host.home / "environment").write_text(
        "RESTIC_PASSWORD=x\nRESTIC_REPOSITORY=rest:http://127.0.0.1:9/r/\n"
    )

    asked = host.run("backup.py", "snapshots")

    assert (asked.returncode, "refused" in asked.stderr) == (1, True)
