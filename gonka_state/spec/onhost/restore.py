"""Brings a snapshot's files back, and never over anything that is there. Runs on the network host.

`restore.py plan SNAPSHOT` tells what is in it and what of that is here. `restore.py place SNAPSHOT WHAT,WHAT [HEIGHT]`
puts what is missing in its place. `restore.py signer KEY` asks the chain who signed the newest blocks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.onhost import backup
else:
    import backup  # lies beside this file

Fields = dict[str, Any]
STATE_FILE = ".tmkms/state/priv_validator_state.json"
CONSENSUS = "consensus-key"
BLOCKS = 24
"""How many of the newest blocks must be without a signature: about two minutes."""
AHEAD = 10
"""How many blocks beyond the newest one the signer is told that it has signed."""


@contextmanager
def fetched(restic: backup.Restic, snapshot: str) -> Iterator[Path]:
    """The snapshot's files, in memory (/run) as long as they are needed and no longer."""
    scratch = Path(tempfile.mkdtemp(prefix="gonka-state-", dir="/run"))
    try:
        restic("restore", "--quiet", "--target", str(scratch), snapshot)
        yield scratch
    finally:
        shutil.rmtree(scratch)


def files(declared: Fields, scratch: Path) -> list[Fields]:
    """Every file of the snapshot that has a place here: what it is, where it goes, and what is there now.

    That is in the project's directory alone, whatever else somebody put into the repository; and a link would bring back
    what this host has at its end.
    """
    staged = scratch / str(backup.STAGED).lstrip("/")
    found = []
    for file in sorted(path for path in scratch.rglob("*") if path.is_file() and not path.is_symlink()):
        if file == staged / backup.DATABASE:
            target = Path(declared["database"])
        elif staged in file.parents:
            continue
        else:
            target = Path("/") / file.relative_to(scratch)
        if not target.is_relative_to(declared["directory"]):
            continue
        what = _what(declared, target)
        found.append({"what": what, "path": str(target), "from": str(file), "now": _now(file, target)})
    return found


def _what(declared: Fields, target: Path) -> str:
    """The word for a file: one of the keys, the database, or configuration."""
    for what, place in declared["places"].items():
        if target == Path(place) or Path(place) in target.parents:
            return str(what)
    return "configuration"


def _now(file: Path, target: Path) -> str:
    if not (target.exists() or target.is_symlink()):
        return "missing"
    return "same" if target.is_file() and target.read_bytes() == file.read_bytes() else "differs"


def plan(declared: Fields, snapshot: str) -> Fields:
    """What the snapshot would bring back here."""
    if not Path(declared["directory"]).is_dir():
        raise backup.TroubleError(f"there is no {declared['directory']} yet: converge makes it")
    with fetched(backup.Restic(declared), snapshot) as scratch:
        manifest = scratch / str(backup.STAGED).lstrip("/") / backup.MANIFEST
        about = json.loads(manifest.read_text(encoding="utf-8"))
        return {
            "files": [{k: v for k, v in item.items() if k != "from"} for item in files(declared, scratch)],
            "consensus_key": about["consensus_key"],
            "running": _running(declared),
        }


def _running(declared: Fields) -> list[str]:
    """The services that use the keys and run now."""
    label = "com.docker.compose"
    filters = ["--filter", f"label={label}.project.working_dir={declared['directory']}"]
    form = f'{{{{.Label "{label}.service"}}}}'
    try:
        done = subprocess.run(
            ["docker", "ps", *filters, "--format", form], capture_output=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise backup.TroubleError(f"Docker does not tell what runs here: {error}") from None
    return sorted(set(done.stdout.decode().split()) & set(declared["services"]))


def place(declared: Fields, snapshot: str, wanted: list[str], height: int) -> list[str]:
    """Put what is missing of these in its place, and note that what the snapshot leaves out may be new."""
    if running := _running(declared):
        raise backup.TroubleError(f"{', '.join(running)} came to run meanwhile; nothing was restored")
    placed = []
    with fetched(backup.Restic(declared), snapshot) as scratch:
        # The consensus key comes last: a key that is there without its state could sign anything again.
        for item in sorted(
            files(declared, scratch), key=lambda item: item["path"] == declared["keys"][CONSENSUS]
        ):
            file, target = Path(item["from"]), Path(item["path"])
            if item["what"] not in wanted:
                continue
            if target == Path(declared["directory"]) / STATE_FILE:
                _set_height(declared, file, target, height)
            if item["now"] == "missing":
                _put(file, target, scratch)
                placed.append(str(target))
    new = [name for name, pattern in declared["keys"].items() if not backup.matching(pattern)]
    backup.STATE.mkdir(parents=True, exist_ok=True)
    backup.write(backup.SETTLED, {"by": "restore", "snapshot": snapshot, "time": time.time(), "new": new})
    return placed


def _set_height(declared: Fields, file: Path, target: Path, height: int) -> None:
    """An older state would let the signer sign a block twice: it is told that it has signed beyond the newest.

    A state without a key is what a restore left that was cut short, and is raised, too.
    """
    here = target if target.exists() else file
    state = json.loads(here.read_text(encoding="utf-8"))
    state.update(height=str(max(height, int(state["height"]))), round="0", step=2, block_id=None)
    if here == file:
        file.write_text(json.dumps(state), encoding="utf-8")
    elif not backup.matching(declared["keys"][CONSENSUS]):
        backup.write(target, state)


def _put(file: Path, target: Path, scratch: Path) -> None:
    """Whole, with the owner and the mode it had, and never over something: a link refuses to replace."""
    for directory in reversed([path for path in target.parents if not path.exists()]):
        directory.mkdir()
        like = scratch / directory.relative_to("/")
        directory.chmod(0o755)
        if like.exists():
            about = like.stat()
            os.chown(directory, about.st_uid, about.st_gid)
            directory.chmod(about.st_mode & 0o7777)
    draft = target.with_name(f".{target.name}.gonka-state")
    draft.unlink(missing_ok=True)
    try:
        shutil.copyfile(file, draft)
        about = file.stat()
        os.chown(draft, about.st_uid, about.st_gid)
        draft.chmod(about.st_mode & 0o7777)
        with draft.open("rb") as stream:
            os.fsync(stream.fileno())
        os.link(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def signer(declared: Fields, key: str) -> Fields:
    """The chain's newest height, and which of the newest blocks carry a signature by this consensus key."""
    rpc = declared["seed_rpc"].rstrip("/")
    if not rpc:
        raise backup.TroubleError(
            "network.seed is not declared: nobody tells whether another signer is alive"
        )
    address = hashlib.sha256(base64.b64decode(key)).hexdigest()[:40].upper()
    height = int(_ask(f"{rpc}/status")["sync_info"]["latest_block_height"])
    signed = []
    for block in range(height, max(height - BLOCKS, 0), -1):
        commit = _ask(f"{rpc}/commit?height={block}")["signed_header"]["commit"]
        if any(item.get("validator_address", "").upper() == address for item in commit["signatures"]):
            signed.append(block)
    return {"height": height, "signed": signed, "asked": BLOCKS, "ahead": height + AHEAD}


def _ask(url: str) -> Fields:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 (of the cluster file)
            found: Fields = json.load(answer)["result"]
            return found
    except (urllib.error.URLError, OSError, ValueError, KeyError, TypeError) as error:
        raise backup.TroubleError(f"{url} does not answer: {error}") from None


def main(words: list[str]) -> int:
    """One command; its answer is JSON on standard output."""
    os.umask(0o077)
    command, *given = words
    declared = backup.settings()
    try:
        if command == "plan":
            answer: object = plan(declared, *given)
        elif command == "place":
            answer = place(declared, given[0], given[1].split(","), int((given[2:] or ["0"])[0]))
        else:
            answer = signer(declared, *given)
    except (backup.TroubleError, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{json.dumps(answer)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
