"""Backs up what a network host cannot be made again from: keys, node database, configuration. Runs on that host.

`backup.py run [--check]` takes a snapshot, forgets old ones, checks the repository when it is time, and writes
down what became of it. `backup.py snapshots` tells what is in the repository, and changes nothing there.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent
STATE = Path(os.environ.get("GONKA_STATE_BACKUP", "/var/lib/gonka-state/backup"))
STATUS, SETTLED, STAGED = STATE / "status.json", STATE / "settled.json", STATE / "staged"
MANIFEST, DATABASE = "manifest.json", "gonka.db"
_ABSENT = re.compile(
    r"(no such file|not exist|doesn't exist|not found).*Is there a repository at", re.IGNORECASE
)
"""restic asks this also where it was refused or cut off: only with these words there is none."""
LEAST = 6
"""Characters: a shorter secret would blot out whole messages, and is none."""
Fields = dict[str, Any]


class TroubleError(Exception):
    """Why it did not work, as an operator reads it."""


class Restic:
    """The repository, asked by restic. What is secret about it is in the environment alone."""

    def __init__(self, declared: Fields) -> None:
        self.declared = declared
        self.env = {"RESTIC_CACHE_DIR": "/var/cache/gonka-state/restic", "HOME": "/root", **os.environ}
        self.env |= {"RESTIC_REPOSITORY": declared["repository"], "LC_ALL": "C"}
        lines = (HOME / "environment").read_text(encoding="utf-8").splitlines()
        given = {name: value for name, _, value in (line.partition("=") for line in lines)}
        self.env |= given
        self.secrets = [value for value in given.values() if len(value) >= LEAST]
        command = declared["sftp_command"]
        self.options = ["-o", f"sftp.command={command}"] if command else []

    def __call__(self, *words: str, timeout: int = 3000) -> str:
        """What it prints; TroubleError carries its own last words."""
        try:
            done = subprocess.run(
                ["restic", *self.options, *words],
                env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False,
            )  # fmt: skip
        except FileNotFoundError:
            raise TroubleError("restic is not installed") from None
        except subprocess.TimeoutExpired:
            raise TroubleError(f"restic {words[0]} did not end within {timeout} s") from None
        if done.returncode:
            said = [line for line in done.stderr.decode(errors="replace").splitlines() if line.strip()]
            raise TroubleError(self.masked("; ".join(said[-3:]))[:400] or f"restic: status {done.returncode}")
        return done.stdout.decode(errors="replace")

    def masked(self, said: str) -> str:
        """Its words without what is secret: a repository's address may hold a password."""
        for value in filter(None, self.secrets):
            said = said.replace(value, "***")
        return re.sub(r"(://[^/@\s:]*:)[^/@\s]+@", r"\1***@", said)

    def snapshots(self, *options: str, timeout: int = 60) -> list[Fields] | None:
        """Those of this cluster, the oldest first; None where there is no repository."""
        try:
            said = self("snapshots", "--json", "--tag", self.declared["tag"], *options, timeout=timeout)
        except TroubleError as error:
            if _ABSENT.search(str(error)):
                return None
            raise
        return sorted(map(told, json.loads(said or "null") or []), key=lambda item: float(item["time"]))


def told(item: Fields) -> Fields:
    """What we say of one of restic's snapshots."""
    sizes = [tag.partition("=")[2] for tag in item.get("tags") or [] if tag.startswith("bytes=")]
    zone = item["time"][19:].lstrip(".0123456789").replace("Z", "+00:00")  # Go writes nanoseconds
    moment = int(datetime.fromisoformat(item["time"][:19] + zone).timestamp())
    about = {"id": item["short_id"], "time": moment, "host": item["hostname"], "paths": item["paths"]}
    return {**about, "bytes": int(sizes[0]) if sizes else None}


def settings() -> Fields:
    """What was declared."""
    found: Fields = json.loads((HOME / "settings.json").read_text(encoding="utf-8"))
    return found


def matching(pattern: str) -> list[str]:
    """What is there of a path whose last part may be a pattern."""
    path = Path(pattern)
    return sorted(map(str, path.parent.glob(path.name)))


def write(path: Path, value: Fields) -> None:
    """Put a small file down, whole or not at all."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(f"{json.dumps(value, indent=1)}\n", encoding="utf-8")
    part.replace(path)


def status() -> Fields:
    """What became of the last run; nothing before the first."""
    try:
        found: Fields = json.loads(STATUS.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found


def run(declared: Fields, *, check: bool) -> Fields:
    """Take a snapshot, alone; the status file tells what became of it, also where it failed."""
    STATE.mkdir(parents=True, exist_ok=True)
    with (STATE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        restic = Restic(declared)
        try:
            write(STATUS, _taken(restic, declared, status()))
            SETTLED.unlink(missing_ok=True)
            _checked(restic, declared, status(), forced=check)
        except (TroubleError, OSError, sqlite3.Error, ValueError) as error:
            write(STATUS, {**status(), "failed": time.time(), "failure": str(error)[:400]})
            raise TroubleError(str(error)) from None
    return status()


def _taken(restic: Restic, declared: Fields, before: Fields) -> Fields:
    keys = [name for name, pattern in declared["keys"].items() if matching(pattern)]
    if not keys:
        raise TroubleError("there is nothing to back up yet: no key is there")
    # A host that has lost a key must not push the snapshots that still have it out of the repository.
    if lost := [name for name in before.get("keys", []) if name not in keys]:
        raise TroubleError(f"{', '.join(lost)} was in the last snapshot and is gone: restore it first")
    if restic.snapshots() is None:
        if "snapshot" in before:
            raise TroubleError(f"the repository is gone: it had snapshot {before['snapshot']}")
        restic("init")
    restic("unlock", "--quiet")  # of locks whose owner is dead
    began = time.time()
    size = _snapshot(restic, declared)
    if declared["keep"]:
        restic("forget", "--quiet", "--tag", declared["tag"], "--group-by", "host", *declared["keep"])
    # The repository's word, not ours: what is not listed there was not taken.
    listed = restic.snapshots("--host", declared["host"]) or []
    if not listed or listed[-1]["time"] < int(began) - 1:
        raise TroubleError("the repository does not list the snapshot that was just taken")
    newest = listed[-1]
    kept: Fields = {name: before[name] for name in ("checked", "check_problem") if name in before}
    about = {"snapshot": newest["id"], "time": newest["time"], "paths": newest["paths"], "keys": keys}
    return {**kept, **about, "bytes": size, "seconds": round(time.time() - began, 1)}


def _snapshot(restic: Restic, declared: Fields) -> int:
    """Back up what is there; the bytes of it. Copies that were made for it do not stay."""
    STAGED.mkdir(exist_ok=True)
    try:
        _copy_database(Path(declared["database"]), STAGED / DATABASE)
        write(STAGED / MANIFEST, {"cluster": declared["cluster"], "consensus_key": _consensus_key(declared)})
        targets = [*(path for pattern in declared["paths"] for path in matching(pattern)), str(STAGED)]
        size = sum(map(_size, targets))
        tags = ["--tag", declared["tag"], "--tag", f"bytes={size}"]
        restic("backup", "--quiet", "--host", declared["host"], *tags, "--", *targets)
    finally:
        for copy in STAGED.iterdir():
            copy.unlink()
    return size


def _checked(restic: Restic, declared: Fields, now: Fields, *, forced: bool) -> None:
    """Read the whole repository when it is time: what cannot be read back is no backup."""
    if not forced and time.time() - now.get("checked", 0) < declared["check"]:
        return
    if declared["keep"]:
        restic("prune", "--quiet")
    try:
        restic("check", "--quiet", "--read-data")
    except TroubleError as error:
        write(STATUS, {**now, "check_problem": str(error)})
        raise
    now.pop("check_problem", None)
    write(STATUS, {**now, "checked": time.time()})


def _size(path: str) -> int:
    at = Path(path)
    inside = [at] if at.is_file() else at.rglob("*")
    return sum(file.stat().st_size for file in inside if file.is_file())


def _copy_database(source: Path, target: Path) -> None:
    """SQLite's own backup: whole while the API writes. A copy that is left over would be a mixture."""
    for copy in STAGED.iterdir():
        copy.unlink()
    if not source.exists():
        return
    copy_, live = sqlite3.connect(target), sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=30)
    try:
        live.backup(copy_)
        if copy_.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            raise TroubleError(f"{source} is damaged: SQLite's integrity check fails")
    finally:
        copy_.close()
        live.close()


def _consensus_key(declared: Fields) -> str:
    """The key that the chain node says its signer has; empty where it cannot be asked."""
    form = "{{range .NetworkSettings.Networks}}{{println .IPAddress}}{{end}}"
    asked = ["docker", "inspect", "--type", "container", "--format", form, "--", declared["node"]]
    try:
        shown = subprocess.run(asked, capture_output=True, timeout=20, check=True).stdout.decode().split()
        with urllib.request.urlopen(f"http://{shown[0]}:26657/status", timeout=5) as answer:
            return str(json.load(answer)["result"]["validator_info"]["pub_key"]["value"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, subprocess.SubprocessError):
        return ""


def main(words: list[str]) -> int:
    """One command; its answer is JSON on standard output."""
    os.umask(0o077)
    try:
        if words[0] == "run":
            answer: object = run(settings(), check="--check" in words)
        else:
            answer = Restic(settings()).snapshots("--no-lock", "--no-cache", timeout=20)
    except TroubleError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(answer)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
