"""The deployment repository that hosts clone: written here, with the same commits every time."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from gonka_state.lab.paths import STANDINS
from gonka_state.lab.shell import run

SOURCE = STANDINS / "repository"
PLACEHOLDERS = ("@RELEASE@", "@MLNODE@")
RELEASES = (("0.2.12", "3.0.12", "2026-04-29T12:00:00Z"), ("0.2.13", "3.0.13", "2026-06-19T12:00:00Z"))


def publish(target: Path) -> str:
    """Make the bare repository at `target` and return the commit of its newest release."""
    run(["git", "init", "--quiet", "--bare", "--initial-branch=main", target], env=_identity(""))
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch)
        ref = ""
        for release, mlnode, date in RELEASES:
            _lay_out(tree, release, mlnode)
            ref = _commit(target, tree, f"release v{release}", date)
            run(["git", "--git-dir", target, "tag", f"release/v{release}", ref], env=_identity(date))
        # main goes on after the release, so that a pin and a branch can be told apart
        (tree / "README.md").write_text(
            (tree / "README.md").read_text() + "\nWork on the next release goes on here.\n"
        )
        _commit(target, tree, "start the next release", "2026-06-26T12:00:00Z")
    run(["git", "--git-dir", target, "update-server-info"], env=_identity(""))
    return ref


def _lay_out(tree: Path, release: str, mlnode: str) -> None:
    for source in sorted(SOURCE.rglob("*")):
        if source.is_file():
            target = tree / source.relative_to(SOURCE)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text()
            for placeholder, value in zip(PLACEHOLDERS, (release, mlnode), strict=True):
                text = text.replace(placeholder, value)
            target.write_text(text)
            shutil.copymode(source, target)


def _commit(repository: Path, tree: Path, message: str, date: str) -> str:
    git: list[str | Path] = ["git", "-C", tree, "--git-dir", repository, "--work-tree", tree]
    run([*git, "add", "--all", "--force", "."], env=_identity(date))
    run([*git, "commit", "--quiet", "--message", message], env=_identity(date))
    return run([*git, "rev-parse", "HEAD"], env=_identity(date)).stdout.strip()


def _identity(date: str) -> dict[str, str]:
    """An author, a date and no configuration of this machine: the same input gives the same commit."""
    return {
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "lab", "GIT_AUTHOR_EMAIL": "lab@invalid", "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": "lab", "GIT_COMMITTER_EMAIL": "lab@invalid", "GIT_COMMITTER_DATE": date,
    }  # fmt: skip
