"""The repository section on real checkouts, and its parser on anything."""

from __future__ import annotations

import importlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import PRELUDE, Look
from gonka_state.facts.here import Here
from gonka_state.facts.repository import FACT, observe_repository
from gonka_state.resources.repository import RepositoryResource

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.core.observation import Observation
    from gonka_state.facts.repository import RepositoriesState

HERE = Here("ml-01", {"ml-01": "10.77.0.12"})
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


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    place = tmp_path / "a checkout"
    place.mkdir()
    git(place, "init", "--quiet")
    git(place, "remote", "add", "origin", "https://me:secret@github.com/gonka-ai/gonka.git")
    for number in (1, 2):
        (place / "a file.txt").write_text(f"{number}\n")
        git(place, "add", "--all")
        git(place, "commit", "--quiet", "--message", str(number))
    return place


def section(script: str) -> RepositoriesState:
    text = subprocess.run(
        ["sh", "-s"], input=f"M='#@t'\n{PRELUDE}\n{script}", capture_output=True, check=True, text=True
    ).stdout
    assert "secret" not in text
    return FACT.parse(text)


def wish(place: Path, ref: str) -> RepositoryResource:
    return RepositoryResource(
        name=str(place), url="https://github.com/gonka-ai/gonka.git", ref=ref, clean=True
    )


def look(resource: RepositoryResource) -> Observation:
    return observe_repository(section(FACT.script([resource], Look())), resource, HERE)


@pytest.mark.parametrize(
    ("origin", "shown"),
    [
        ("https://token:secret@github.com/g/g.git", "https://github.com/g/g.git"),
        ("https://secret@github.com/g/g.git", "https://github.com/g/g.git"),
        ("http://me:secret@secret@h:8080/g.git", "http://h:8080/g.git"),
        ("ssh://git@github.com/g/g.git", "ssh://git@github.com/g/g.git"),
        ("ssh://git:secret@github.com:22/g/g.git", "ssh://git@github.com:22/g/g.git"),
        ("ssh://github.com:22/g/a@b.git", "ssh://github.com:22/g/a@b.git"),
        ("git@github.com:g/g.git", "git@github.com:g/g.git"),
    ],
)
def test_only_credentials_are_taken_out_of_an_origin(checkout: Path, origin: str, shown: str) -> None:
    git(checkout, "remote", "set-url", "origin", origin)
    resource = RepositoryResource(name=str(checkout), url=shown, ref=git(checkout, "rev-parse", "HEAD"))

    found = look(resource)

    assert isinstance(found, Present)
    assert found.attributes["url"] == shown


def test_a_password_is_no_part_of_a_declared_url() -> None:
    with pytest.raises(ValidationError, match="pattern"):
        RepositoryResource(name="/opt/gonka", url="ssh://git:secret@h/g.git", ref=40 * "a")


def test_a_checkout_at_its_pin_is_in_sync(checkout: Path) -> None:
    resource = wish(checkout, git(checkout, "rev-parse", "HEAD"))

    found = look(resource)

    assert isinstance(found, Present)
    assert found.attributes == resource.attributes()


def test_looking_writes_nothing(checkout: Path) -> None:
    (checkout / "a file.txt").touch()
    before = {path: path.stat().st_mtime_ns for path in checkout.rglob("*")}

    look(wish(checkout, "f" * 40))

    assert {path: path.stat().st_mtime_ns for path in checkout.rglob("*")} == before


def test_an_edit_is_named_and_left_to_a_human(checkout: Path) -> None:
    (checkout / "a file.txt").write_text("mine\n")

    found = look(wish(checkout, git(checkout, "rev-parse", "HEAD")))

    assert isinstance(found, Present)
    assert (found.attributes["clean"], found.reason) == (False, "local edits: a file.txt")
    assert found.human


def test_what_an_interrupted_checkout_wrote_is_no_edit(checkout: Path) -> None:
    target = git(checkout, "rev-parse", "HEAD")
    git(checkout, "checkout", "--quiet", "HEAD~1")
    (checkout / "a file.txt").write_text("2\n")

    found = look(wish(checkout, target))

    assert isinstance(found, Present)
    assert found.attributes["clean"]
    assert not found.human


def test_an_edit_in_the_way_of_a_move_is_a_humans_even_where_clean_is_not_declared(checkout: Path) -> None:
    (checkout / "a file.txt").write_text("mine\n")
    resource = wish(checkout, "f" * 40).model_copy(update={"clean": None})

    found = look(resource)

    assert isinstance(found, Present)
    assert found.human


def test_untracked_files_are_nothing(checkout: Path) -> None:
    (checkout / ".inference").mkdir()
    (checkout / ".inference/key").write_text("k")

    found = look(wish(checkout, git(checkout, "rev-parse", "HEAD")))

    assert isinstance(found, Present)
    assert found.attributes["clean"]


def test_an_empty_directory_is_absent_and_a_full_one_unknown(tmp_path: Path) -> None:
    assert look(wish(tmp_path / "none", "f" * 40)) == Absent()
    (tmp_path / "empty").mkdir()
    assert look(wish(tmp_path / "empty", "f" * 40)) == Absent()
    (tmp_path / "full").mkdir()
    (tmp_path / "full/data").write_text("")
    found = look(wish(tmp_path / "full", "f" * 40))
    assert isinstance(found, Unknown)
    assert found.reason.endswith("is no checkout but a directory with data")


def test_a_damaged_checkout_is_unknown_and_harms_no_other(checkout: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    subprocess.run(["cp", "-r", str(checkout), str(broken)], check=True)
    (broken / ".git/HEAD").write_text("garbage\n")
    wishes = [wish(place, git(checkout, "rev-parse", "HEAD")) for place in (broken, checkout)]

    state = section(FACT.script(wishes, Look()))

    found = [observe_repository(state, resource, HERE) for resource in wishes]
    assert isinstance(found[0], Unknown)
    assert isinstance(found[1], Present)


def test_a_path_that_was_not_looked_at_is_unknown(tmp_path: Path) -> None:
    assert isinstance(
        observe_repository(section(FACT.script([], Look())), wish(tmp_path, "f" * 40), HERE), Unknown
    )


def test_alone_it_takes_a_path(checkout: Path) -> None:
    assert section(FACT.standalone(path=str(checkout))).checkouts[str(checkout)].state == "checkout"
    with pytest.raises(FactError, match="takes path="):
        FACT.standalone(branch="main")


def test_pyinfra_can_use_it() -> None:
    module = importlib.import_module("gonka_state.facts.repository")

    assert module.Repositories.name == "gonka_state.facts.repository.Repositories"


NAMES = ["git", *(f"{name} /p" for name in ("state", "head", "origin", "tags", "edits", "differs"))]
LINES = st.one_of(st.text(max_size=60), st.sampled_from(["checkout", "absent", "other a thing", "f" * 40]))


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    refused_or_understood(text)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.lists(LINES), st.sampled_from(["0", "1 it failed", "128"])))
)
def test_any_answer_in_frames_is_understood_or_refused(frames: list[tuple[str, list[str], str]]) -> None:
    body = "".join(f"#@x part {name}\n{chr(10).join(lines)}\n#@x rc {rc}\n" for name, lines, rc in frames)
    refused_or_understood(f"#@x part git\n/usr/bin/git\n#@x rc 0\n{body}")


def refused_or_understood(text: str) -> None:
    try:
        state = FACT.parse(text)
    except FactError:
        return
    resource = RepositoryResource(name="/p", url="https://github.com/gonka-ai/gonka.git", ref="f" * 40)
    assert isinstance(observe_repository(state, resource, HERE), Present | Absent | Unknown)
