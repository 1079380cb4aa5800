"""Files put in place by a real sh: complete or not at all, never readable by others, nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.masking import placeholder
from gonka_state.core.observation import Absent
from gonka_state.facts.here import Here
from gonka_state.operations import file
from gonka_state.operations.base import Do, Step
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = "Zq7 'Hidden' \"Value\""


def step_for(resource: FileResource, action: Action, *attributes: str) -> Step[FileResource]:
    changes = tuple(AttributeChange(name, None, None) for name in attributes)
    change = Change(Address("h", "file", resource.name), action, changes)
    return Step(change, resource, Absent(), Here("h", {}), Timeouts())


def only(step: Step[FileResource]) -> Do:
    commands = list(file.apply(step))
    assert len(commands) == 1
    assert isinstance(commands[0], Do)
    return commands[0]


def run(do: Do) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", do.script], input=do.stdin.encode(), capture_output=True, check=False, timeout=30
    )


def write(
    path: Path, content: str, action: Action = Action.CREATE, **more: str
) -> subprocess.CompletedProcess[bytes]:
    resource = FileResource.model_validate({"name": str(path), "content": content, **more})
    return run(only(step_for(resource, action, "content")))


@pytest.mark.parametrize(
    "name", [".inference/config/app.toml", ".tmkms/secrets/key", ".dapi/gonka.db", "link"]
)
def test_what_cannot_be_had_again_is_never_removed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    (tmp_path / ".tmkms").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / ".tmkms/key")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("once")

    done = run(only(step_for(FileResource(name=str(path), state="absent"), Action.DELETE)))

    assert (done.returncode, path.read_text()) == (1, "once")
    assert b"of which nothing is ever deleted" in done.stderr


def test_what_was_signed_is_never_written_over(tmp_path: Path) -> None:
    state = tmp_path / ".tmkms/state.json"
    state.parent.mkdir()
    state.write_text("block 7")
    (tmp_path / "link").symlink_to(state.parent)

    through, direct = write(tmp_path / "link/state.json", "{}"), write(state, "{}", Action.UPDATE)

    assert (through.returncode, direct.returncode, state.read_text()) == (1, 1, "block 7")
    assert b"into which nothing is ever written" in direct.stderr
    assert [path.name for path in state.parent.iterdir()] == ["state.json"]


@settings(max_examples=20)
@given(content=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60))
def test_any_content_arrives_byte_for_byte(tmp_path: Path, content: str) -> None:
    path = tmp_path / "new"

    done = write(path, content, Action.UPDATE if path.exists() else Action.CREATE)

    assert (done.returncode, done.stderr) == (0, b"")
    assert path.read_bytes() == content.encode()


@pytest.mark.parametrize("name", ["with space", "it's", "-n", "$(id)", "a;b", "ä", "back\\slash", "TARGET"])
def test_any_name_is_written_as_it_is(tmp_path: Path, name: str) -> None:
    assert write(tmp_path / name, "text").returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_new_file_gets_the_usual_mode_and_one_with_a_secret_is_closed(tmp_path: Path) -> None:
    resource = FileResource(
        name=str(tmp_path / "env"), content=f"KEY={placeholder('k')}\n", secrets={"k": SecretStr(HIDDEN)}
    )
    do = only(step_for(resource, Action.CREATE))

    assert run(do).returncode == 0
    write(tmp_path / "plain", "text")

    assert (tmp_path / "env").read_text(encoding="utf-8") == f"KEY={HIDDEN}\n"
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "plain").stat().st_mode & 0o777 == 0o644


def test_a_secret_is_neither_in_the_script_nor_shown(tmp_path: Path) -> None:
    resource = FileResource(
        name=str(tmp_path / "env"), content=f"KEY={placeholder('k')}\n", secrets={"k": SecretStr(HIDDEN)}
    )
    do = only(step_for(resource, Action.CREATE))

    assert HIDDEN not in do.script
    assert HIDDEN not in repr(do)
    assert HIDDEN not in repr(step_for(resource, Action.CREATE))


def test_a_declared_mode_is_given_before_the_file_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "file"

    assert write(path, "text", mode="0640").returncode == 0
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_mode_that_nobody_declared_is_kept_and_the_previous_version_too(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one", encoding="utf-8")
    path.chmod(0o751)

    write(path, "two", Action.UPDATE)
    write(path, "three", Action.UPDATE)

    previous = tmp_path / "file.gonka-state-previous"
    assert path.stat().st_mode & 0o777 == 0o751
    assert previous.read_text(encoding="utf-8") == "two"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "file.gonka-state-previous"]


def test_a_link_is_followed_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("one", encoding="utf-8")
    (tmp_path / "link").symlink_to("real")

    write(tmp_path / "link", "two", Action.UPDATE)

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text(encoding="utf-8") == "two"


def test_a_file_that_does_not_validate_never_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("good", encoding="utf-8")

    bad = write(
        path, "bad", Action.UPDATE, validate_with='grep -q good "$1" || { echo "line 1 is bad" >&2; exit 1; }'
    )
    good = write(path, "good too", Action.UPDATE, validate_with='grep -q good "$1"')

    assert bad.returncode != 0
    assert b"line 1 is bad" in bad.stderr
    assert good.returncode == 0
    assert path.read_text(encoding="utf-8") == "good too"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "file.gonka-state-previous"]


def test_a_missing_directory_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    done = write(tmp_path / "no" / "file", "text")

    assert done.returncode != 0
    assert b"No such file or directory" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_is_stopped_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    resource = FileResource(name=str(path), content="new", validate_with="sleep 30")
    do = only(step_for(resource, Action.UPDATE, "content"))

    with subprocess.Popen(["sh", "-c", do.script], stdin=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdin is not None
        process.stdin.write(b"new")
        process.stdin.close()
        deadline = time.monotonic() + 10
        while not list(tmp_path.glob(".gonka-state.*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        while (
            any(not new.stat().st_size for new in tmp_path.glob(".gonka-state.*"))
            and time.monotonic() < deadline
        ):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGTERM)
        # A signal that comes before the check is started waits for its end.
        status = process.wait(timeout=60)

    assert status != 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert path.read_text(encoding="utf-8") == "old"


def test_only_the_mode_is_set_where_only_the_mode_differs(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("text", encoding="utf-8")
    before = path.stat().st_mtime_ns
    resource = FileResource(name=str(path), content="never written", mode="0600")

    do = only(step_for(resource, Action.UPDATE, "mode"))

    assert run(do).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert (path.read_text(encoding="utf-8"), path.stat().st_mtime_ns) == ("text", before)


def test_a_file_without_declared_content_is_made_empty_and_an_existing_one_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    do = only(step_for(FileResource(name=str(path), mode="0600"), Action.CREATE))

    run(do)
    assert path.read_bytes() == b""
    path.write_bytes(b"kept")
    run(do)
    assert path.read_bytes() == b"kept"


def test_an_owner_that_does_not_exist_is_an_error_before_the_file_is_in_place(tmp_path: Path) -> None:
    done = write(tmp_path / "file", "text", owner="no-such-user")

    assert done.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_absent_removes_the_file_and_twice_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "it's"
    path.touch()
    (tmp_path / "it's.gonka-state-previous").write_text("an older secret")
    do = only(step_for(FileResource(name=str(path), state="absent"), Action.DELETE))

    assert [run(do).returncode, run(do).returncode] == [0, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_write_is_never_repeated_blindly(tmp_path: Path) -> None:
    resource = FileResource(name=str(tmp_path / "file"), content="text")

    assert not only(step_for(resource, Action.CREATE)).again
