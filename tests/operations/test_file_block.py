"""Blocks written and taken away by a real sh: what is around them stays byte for byte, and the look agrees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.core.change import Action
from gonka_state.core.diff import compare
from gonka_state.core.observation import Observation, Present, Unknown
from gonka_state.errors import FactError, StepError
from gonka_state.facts.base import Look
from gonka_state.facts.file_blocks import FACT, observe_block, wanted_block
from gonka_state.operations.file_block import apply
from gonka_state.resources.file_block import BEGIN, END, FileBlockResource
from tests.facts.conftest import run_body
from tests.operations.hands import HERE, carry_out, step_of

if TYPE_CHECKING:
    from pathlib import Path

LINE = st.text(st.characters(exclude_characters="\0\n\r", exclude_categories=["Cs"]), max_size=12)


def look(wish: FileBlockResource) -> tuple[Action, Observation]:
    state = FACT.parse(run_body(FACT.script([wish], Look(salt="salt"))))
    seen = observe_block(state, wish, HERE)
    action, _ = compare(wanted_block(state, wish, HERE), seen, wanted_absent=wish.state == "absent")
    return action, seen


def close(wish: FileBlockResource) -> Action:
    """Look, do what differs, look again; return what was done."""
    action, seen = look(wish)
    if action is not Action.NONE:
        carry_out(apply(step_of(wish, action, "content", seen=seen)))
    assert look(wish)[0] is Action.NONE
    return action


def block(path: Path, content: str = "A=1\n", state: str = "present") -> FileBlockResource:
    return FileBlockResource.model_validate({"name": str(path), "content": content, "state": state})


@settings(max_examples=15)
@given(before=st.lists(LINE, max_size=3), after=st.lists(LINE, max_size=3), open_end=st.booleans())
def test_everything_else_stays_byte_for_byte(
    tmp_path: Path,
    before: list[str],
    after: list[str],
    open_end: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    path = tmp_path / "a file"
    head, tail = "".join(f"{line}\n" for line in before), "\n".join(after) + ("" if open_end else "\n")
    path.write_text(f"{head}{BEGIN}\nold\n{END}\n{tail}")

    assert close(block(path, "B=2")) is Action.UPDATE
    assert path.read_text() == f"{head}{BEGIN}\nB=2\n{END}\n{tail}"

    assert close(block(path, state="absent")) is Action.DELETE
    assert path.read_text() == head + tail


def test_a_block_comes_to_the_end_after_a_line_that_ends(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("no newline")
    path.chmod(0o640)

    assert close(block(path)) is Action.CREATE

    assert path.read_text() == f"no newline\n{BEGIN}\nA=1\n{END}\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "f.gonka-state-previous").read_text() == "no newline"


def test_a_file_is_made_where_there_is_none(tmp_path: Path) -> None:
    assert close(block(tmp_path / "f")) is Action.CREATE

    assert (tmp_path / "f").read_text() == f"{BEGIN}\nA=1\n{END}\n"


def test_a_variable_that_is_set_already_is_not_set_twice(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("export HF_HOME=/mnt/shared\nfi\n")

    assert close(block(path, "export HF_HOME=/mnt/shared")) is Action.NONE
    assert close(block(path, "if x; then\nexport HF_HOME=/mnt/shared\nfi\n")) is Action.CREATE

    assert path.read_text() == f"export HF_HOME=/mnt/shared\nfi\n{BEGIN}\nif x; then\nfi\n{END}\n"
    path.write_text(path.read_text().replace("export HF_HOME=/mnt/shared\n", ""))
    assert close(block(path, "export HF_HOME=/mnt/shared")) is Action.UPDATE


@pytest.mark.parametrize("text", [f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{END}\n" * 2, f"a\n{END}\n"])
def test_damaged_marks_are_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "f"
    path.write_text(text)

    assert isinstance(look(block(path))[1], Unknown)
    with pytest.raises(StepError, match="its marks do not make one block"):
        carry_out(apply(step_of(block(path), Action.CREATE)))
    assert path.read_text() == text


def test_a_secret_in_a_block_does_not_leave_the_host(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text(f"{BEGIN}\nHF_TOKEN=hidden\n{END}\nHF_TOKEN=hidden too\n")

    _, seen = look(block(path))

    assert isinstance(seen, Present)
    assert "hidden" not in str(seen)
    assert close(block(path, "HF_TOKEN=other")) is Action.UPDATE


@pytest.mark.parametrize("content", [BEGIN, f"A=1\n{END}\n", "A=\0", "A=1\r\n"])
def test_what_would_damage_the_block_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="holds"):
        FileBlockResource(name="/f", content=content)


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    framed = f"#@x part salt\ns\n#@x rc 0\n#@x part stat /f\n{text}\n#@x rc 0\n#@x part marks /f\n{text}\n#@x rc 0\n"
    for answer in (text, framed):
        try:
            state = FACT.parse(answer)
        except FactError:
            continue
        assert isinstance(observe_block(state, FileBlockResource(name="/f"), HERE), Observation)
