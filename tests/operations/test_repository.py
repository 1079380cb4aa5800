"""The repository operation on real checkouts: its scripts run here, with git and a plain file remote."""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Present
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations.base import Do, Result, Step
from gonka_state.operations.repository import apply
from gonka_state.resources.repository import RepositoryResource

if TYPE_CHECKING:
    from pathlib import Path

USER = pwd.getpwuid(os.getuid()).pw_name
ENVIRONMENT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@invalid" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(place: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(place), *words], env=ENVIRONMENT, capture_output=True, check=True, text=True
    )
    return done.stdout.strip()


@dataclass
class Site:
    """A remote with two commits, and the place of a checkout of it."""

    remote: Path
    place: Path
    first: str
    second: str

    def wish(self, ref: str) -> RepositoryResource:
        """The checkout of this site at a commit."""
        return RepositoryResource(name=str(self.place), url=f"file://{self.remote}", ref=ref, owner=USER)

    def run(self, ref: str, *attributes: str, action: Action = Action.UPDATE) -> None:
        """Apply a change of these attributes, with every command run on this machine."""
        wish = self.wish(ref)
        changes = tuple(AttributeChange(name, None, None) for name in attributes)
        change = Change(Address("h", "repository", wish.name), action, changes)
        commands = apply(Step(change, wish, Present({}, {"edits": ["f"]}), Here("h", {}), Timeouts()))
        result: Result | None = None
        while True:
            try:
                command = next(commands) if result is None else commands.send(result)
            except StopIteration:
                return
            assert isinstance(command, Do)
            done = subprocess.run(
                ["sh", "-s"],
                input=command.script,
                env=ENVIRONMENT,
                capture_output=True,
                check=False,
                text=True,
            )
            result = Result(done.returncode, done.stdout, done.stderr)

    def create(self, ref: str) -> None:
        """Make the checkout where there is none."""
        self.run(ref, action=Action.CREATE)

    @property
    def head(self) -> str:
        """The commit the checkout is at."""
        return git(self.place, "rev-parse", "HEAD")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    remote = tmp_path / "remote"
    remote.mkdir()
    git(remote, "init", "--quiet")
    commits = []
    for text, extra in (("1\n", None), ("2\n", "new.env")):
        (remote / "kept file").write_text(text)
        if extra:
            (remote / extra).write_text("from upstream\n")
        git(remote, "add", "--all")
        git(remote, "commit", "--quiet", "--message", text.strip())
        commits.append(git(remote, "rev-parse", "HEAD"))
    return Site(remote, tmp_path / "opt" / "a checkout", *commits)


def test_a_checkout_is_made_at_its_pin(site: Site) -> None:
    site.create(site.second)

    assert site.head == site.second
    assert git(site.place, "remote", "get-url", "origin") == f"file://{site.remote}"
    assert [path.name for path in site.place.parent.iterdir()] == ["a checkout"]


def test_a_commit_that_no_branch_ends_at_is_found(site: Site) -> None:
    site.create(site.first)

    assert site.head == site.first


def test_an_empty_directory_is_taken_with_its_mode(site: Site) -> None:
    site.place.mkdir(parents=True)
    site.place.chmod(0o750)

    site.create(site.second)

    assert site.place.stat().st_mode & 0o777 == 0o750


def test_what_a_killed_create_left_is_in_nobodys_way(site: Site) -> None:
    left = site.place.with_name("a checkout.gonka-state")
    left.mkdir(parents=True)
    (left / "half").write_text("")

    site.create(site.second)

    assert site.head == site.second
    assert not left.exists()


def test_a_create_that_fails_leaves_nothing(site: Site) -> None:
    with pytest.raises(StepError, match="has no commit ffff"):
        site.create("f" * 40)

    assert list(site.place.parent.iterdir()) == []


def test_a_directory_that_filled_meanwhile_is_not_replaced(site: Site) -> None:
    site.place.mkdir(parents=True)
    (site.place / "data").write_text("mine")

    with pytest.raises(StepError, match="Directory not empty"):
        site.create(site.second)

    assert (site.place / "data").read_text() == "mine"


def test_a_move_keeps_untracked_files_and_the_branch(site: Site) -> None:
    subprocess.run(
        ["git", "clone", "--quiet", str(site.remote), str(site.place)], env=ENVIRONMENT, check=True
    )
    branch = git(site.place, "symbolic-ref", "--short", "HEAD")
    (site.place / ".inference").mkdir()
    (site.place / ".inference/key").write_text("k")

    site.run(site.first, "ref")

    assert site.head == site.first
    assert git(site.place, "rev-parse", branch) == site.second
    assert (site.place / ".inference/key").read_text() == "k"
    assert not (site.place / "new.env").exists()


def test_an_edit_stops_the_move_and_is_named(site: Site) -> None:
    site.create(site.first)
    (site.place / "kept file").write_text("mine\n")

    with pytest.raises(StepError, match="local edits: kept file; its files were left alone"):
        site.run(site.second, "ref")

    assert (site.place / "kept file").read_text() == "mine\n"
    assert site.head == site.first


def test_a_staged_edit_stops_the_move(site: Site) -> None:
    site.create(site.first)
    (site.place / "kept file").write_text("mine\n")
    git(site.place, "add", "kept file")
    (site.place / "kept file").write_text("1\n")

    with pytest.raises(StepError, match="local edits: kept file"):
        site.run(site.second, "ref")


@pytest.mark.parametrize("ignored", [False, True])
def test_an_untracked_file_that_upstream_brings_is_not_overwritten(site: Site, *, ignored: bool) -> None:
    site.create(site.first)
    (site.place / "new.env").write_text("mine\n")
    if ignored:
        (site.place / ".git/info/exclude").write_text("new.env\n")

    with pytest.raises(StepError, match=r"local edits: new\.env"):
        site.run(site.second, "ref")

    assert (site.place / "new.env").read_text() == "mine\n"


def test_a_killed_move_is_finished(site: Site) -> None:
    site.create(site.first)
    (site.place / "kept file").write_text("2\n")
    (site.place / "new.env").write_text("from upstream\n")
    (site.place / ".git/index.lock").write_text("")

    site.run(site.second, "ref")

    assert site.head == site.second
    assert git(site.place, "status", "--porcelain") == ""


def test_a_git_that_works_there_is_waited_for_by_the_operator(site: Site) -> None:
    site.create(site.first)
    (site.place / ".git/index.lock").write_text("")
    busy = subprocess.Popen(
        ["git", "cat-file", "--batch"], cwd=site.place, env=ENVIRONMENT, stdin=subprocess.PIPE
    )

    try:
        with pytest.raises(StepError, match="git works in"):
            site.run(site.second, "ref")
    finally:
        busy.communicate()
    assert (site.place / ".git/index.lock").exists()


def test_before_the_first_commit_files_in_the_way_are_kept(site: Site) -> None:
    site.place.mkdir(parents=True)
    git(site.place, "init", "--quiet")
    git(site.place, "remote", "add", "origin", f"file://{site.remote}")
    (site.place / "new.env").write_text("mine\n")

    with pytest.raises(StepError, match=r"new\.env; Please move or remove"):
        site.run(site.second, "ref")
    (site.place / "new.env").unlink()
    site.run(site.second, "ref")

    assert site.head == site.second


@pytest.mark.parametrize("before", ["https://example.invalid/x.git", None])
def test_the_origin_is_set(site: Site, before: str | None) -> None:
    site.create(site.first)
    git(site.place, "remote", "remove", "origin")
    if before:
        git(site.place, "remote", "add", "origin", before)

    site.run(site.first, "url")

    assert git(site.place, "remote", "get-url", "origin") == f"file://{site.remote}"


def test_a_full_clone_stays_whole(site: Site) -> None:
    subprocess.run(
        ["git", "clone", "--quiet", str(site.remote), str(site.place)], env=ENVIRONMENT, check=True
    )
    (site.remote / "kept file").write_text("3\n")
    git(site.remote, "commit", "--quiet", "--all", "--message", "3")
    third = git(site.remote, "rev-parse", "HEAD")

    site.run(third, "ref")

    assert site.head == third
    assert git(site.place, "rev-parse", "--is-shallow-repository") == "false"
    assert git(site.place, "rev-list", "--count", "HEAD") == "3"


def test_edits_alone_are_left_to_a_human(site: Site) -> None:
    with pytest.raises(StepError, match="local edits: f"):
        site.run(site.first, "clean")
