"""A mnemonic is kept whole, for its owner alone, over nobody's file; or shown once on a real terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
import time
from typing import TYPE_CHECKING

import pytest

from gonka_state.errors import StepError
from gonka_state.operations import mnemonic
from gonka_state.operations.mnemonic import Words, in_file

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "# warm key of this test"


def test_a_fresh_file_is_the_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "words"

    words = in_file(path, TITLE)

    assert (Words.check(words), len(words.split())) == (True, 24)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_text() == f"{TITLE}\n{words}\n"
    assert list(tmp_path.iterdir()) == [path]


def test_the_next_run_goes_on_with_the_same_words(tmp_path: Path) -> None:
    path = tmp_path / "words"

    assert in_file(path, TITLE) == in_file(path, TITLE)


@pytest.mark.parametrize("text", ["", "abandon " * 23 + "art\n", "# warm key of another cluster\nx\n"])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "words"
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(StepError, match="is not this key's; it was left alone, and no key was made"):
        in_file(path, TITLE)

    assert path.read_text() == text


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "words").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StepError, match="no key was made"):
        in_file(tmp_path / "words", TITLE)

    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "words"
    in_file(path, TITLE)
    path.chmod(0o640)

    with pytest.raises(StepError, match="can be read by others") as caught:
        in_file(path, TITLE)

    assert caught.value.hint == f"chmod 600 {path}"


def test_words_that_were_edited_are_refused_unseen(tmp_path: Path) -> None:
    path = tmp_path / "words"
    words = in_file(path, TITLE).split()
    path.write_text(f"{TITLE}\n{' '.join(words[:-1])}\n")

    with pytest.raises(StepError, match="holds no valid mnemonic") as caught:
        in_file(path, TITLE)

    assert words[0] not in caught.value.message.split()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="No such file or directory; no key was made"):
        in_file(tmp_path / "not there" / "words", TITLE)


def test_a_file_that_appeared_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "words"
    real = os.fsync

    def slow(handle: int) -> None:
        path.touch()
        real(handle)

    monkeypatch.setattr(os, "fsync", slow)
    with pytest.raises(StepError, match="File exists; no key was made"):
        in_file(path, TITLE)

    assert path.read_text() == ""
    assert list(tmp_path.iterdir()) == [path]


_PROGRAM = """
import sys, time
from gonka_state.core.leaving import leave
from gonka_state.operations.mnemonic import on_terminal
from gonka_state.operations.base import Pause
talk = on_terminal("# the title")
try:
    while True:
        time.sleep(min(next(talk).seconds, 0.01))
except KeyboardInterrupt:
    kept = talk  # as the engine does, where nobody closes it
    sys.stderr.write("KeyboardInterrupt\\n")
    leave(130)
except StopIteration as end:
    sys.stderr.write(f"MADE {len(end.value.split())}\\n")
"""


def terminal(*, typed: str = "") -> str:
    """Run the talk on a terminal of its own, and type what it asks for; all that the terminal showed."""
    process, master = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-c", _PROGRAM])  # noqa: S606
    shown, answered, ends = "", 0, time.monotonic() + 30
    while time.monotonic() < ends:
        if select.select([master], [], [], 0.2)[0]:
            try:
                shown += os.read(master, 4096).decode()
            except OSError:
                break
        asked = re.findall(r"(?:^|\s)[Ww]ord (\d+)(?:, as you wrote it)?: ", shown)
        if len(asked) > answered:
            numbered = dict(re.findall(r"(?:^|\s)(\d+) ([a-z]{3,8})(?=\s)", shown))
            answer = typed if typed and not answered else numbered[asked[-1]]
            os.write(master, f"{answer}\n".encode())
            answered = len(asked)
    os.close(master)
    os.waitpid(process, 0)
    return shown


def test_the_words_are_shown_on_a_screen_that_is_cleared_and_asked_for() -> None:
    shown = terminal()

    begins, ends = shown.index("\033[?1049h"), shown.index("\033[?1049l")
    assert "MADE 24" in shown[ends:]
    assert len(re.findall(r"\d+ [a-z]{3,8}\b", shown[begins:ends])) >= 24
    assert shown[begins:ends].count(", as you wrote it") == 3


def test_a_wrong_word_is_asked_for_again() -> None:
    shown = terminal(typed="wrong")

    assert "no. Word" in shown
    assert "MADE 24" in shown


def test_a_program_that_is_interrupted_leaves_no_words_on_the_screen() -> None:
    shown = terminal(typed="\x03")

    assert "KeyboardInterrupt" in shown
    assert shown.rfind("\033[2J\033[?1049l") > shown.rfind("\033[?1049h")
    assert "MADE" not in shown


def test_without_a_terminal_nothing_is_shown_or_made(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StepError, match="there is no terminal to show the mnemonic on"):
        next(mnemonic.on_terminal(TITLE))

    assert capfd.readouterr() == ("", "")
