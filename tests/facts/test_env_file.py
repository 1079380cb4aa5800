"""Files of variables as a real host shows them: declared values only, and no secret travels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from gonka_state.core import env_text
from gonka_state.core.change import Action, Effect
from gonka_state.core.diff import compare
from gonka_state.core.masking import placeholder
from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import MARK
from gonka_state.facts.env_file import FACT, observe_env_file, unmanaged_variables, wanted_env_file
from gonka_state.facts.here import Here
from gonka_state.resources.env_file import EnvFileResource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from gonka_state.core.observation import Observation
    from gonka_state.facts.base import Fact
    from gonka_state.resources.base import Resource

    Run = Callable[[Fact[Any], Sequence[Resource]], str]

HERE = Here("h", {})
HIDDEN = "Zq7-Hidden_Value"

PIECES = st.sampled_from(
    ["X", "Y", "=", "export ", "X=", "Y=1", " ", "\t", "'", '"', "\\", "#", " #", "$X", ";", "\n", "\r\n", "ä", "set -a"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=14).map("".join)


def declared(path: Path, secrets: dict[str, str] | None = None, **variables: str | None) -> EnvFileResource:
    hidden = {name: SecretStr(value) for name, value in (secrets or {}).items()}
    return EnvFileResource(name=str(path), variables=variables, secrets=hidden)


def judge(section: Run, resource: EnvFileResource) -> tuple[Observation, Action, dict[str, tuple[Any, Any]]]:
    state = FACT.parse(section(FACT, [resource]))
    seen = observe_env_file(state, resource, HERE)
    action, changes = compare(wanted_env_file(state, resource, HERE), seen)
    return seen, action, {item.name: (item.before, item.after) for item in changes}


@settings(max_examples=60)
@given(text=TEXTS)
def test_the_host_reads_a_line_as_we_do(section: Run, tmp_path: Path, text: str) -> None:
    path = tmp_path / "env"
    path.write_text(text, encoding="utf-8", newline="")
    wish = declared(path, X="", Y="")
    seen = observe_env_file(FACT.parse(section(FACT, [wish])), wish, HERE)
    if not isinstance(seen, Present):
        return  # an open quote, or a line that may set one of them in another way
    ours = {item.name: item.value for item in env_text.read(text) if item.name in {"X", "Y"}}
    for name, value in seen.attributes["variables"].items():
        assert value == ours.get(name) or (ours[name] is None and value.startswith("<line "))


@pytest.mark.parametrize("quoted", [HIDDEN, f"'{HIDDEN}'", f'"{HIDDEN}"', f"{HIDDEN} # note"])
def test_a_secret_is_compared_by_a_digest_however_it_is_quoted(
    section: Run, tmp_path: Path, quoted: str
) -> None:
    path = tmp_path / "env"
    path.write_text(f"export KEY={quoted}\nexport THEIRS={HIDDEN}\n# {HIDDEN}\nset -- {HIDDEN}\n")
    same = declared(path, {"k": HIDDEN}, KEY=placeholder("k"))
    other = declared(path, {"k": "another"}, KEY=placeholder("k"))

    printed = section(FACT, [same])

    assert HIDDEN not in printed
    assert judge(section, same)[1] is Action.NONE
    assert judge(section, other)[1] is Action.UPDATE
    assert HIDDEN not in repr(judge(section, other))


def test_a_variable_whose_name_looks_secret_is_masked_on_both_sides(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"export GRAFANA_ADMIN_PASSWORD={HIDDEN}\n")

    seen, action, _ = judge(section, declared(path, GRAFANA_ADMIN_PASSWORD=HIDDEN))

    assert action is Action.NONE
    assert HIDDEN not in repr(seen)


def test_of_variables_that_nobody_declared_only_the_names_are_told(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"A=1\nexport B='{HIDDEN}'\nB=2\nC=$({HIDDEN})\nX=1\n")
    wish = declared(path, X="1")
    state = FACT.parse(section(FACT, [wish]))

    found = unmanaged_variables(state, [wish], HERE)

    assert [item.name for item in found] == [f"{path} A", f"{path} B", f"{path} C"]
    assert HIDDEN not in repr(found)


def test_a_value_of_several_lines_hides_no_variable_and_travels_nowhere(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text(f"export CERT='{HIDDEN}\nX=9\n'\nX=1\n")

    assert HIDDEN not in section(FACT, [declared(path, X="1")])
    assert judge(section, declared(path, X="1"))[1] is Action.NONE
    assert judge(section, declared(path, CERT="x"))[2] == {
        "variables.CERT": ("<line 1, not plain: sh and compose may differ>", "x")
    }


@pytest.mark.parametrize(
    "line", ["unset X", "Y=1 X=2", "Y=1; X=2", "X: 2", "export X", "X=$(a b)", "[ 1 ] && X=2"]
)
def test_a_line_of_another_kind_about_a_declared_variable_makes_it_unknown(
    section: Run, tmp_path: Path, line: str
) -> None:
    path = tmp_path / "env"
    path.write_text(f"X=1\n{line}\n")

    seen = judge(section, declared(path, X="1"))[0]

    assert isinstance(seen, Unknown)
    assert seen.reason.startswith(f"{path}:2 ")


@pytest.mark.parametrize("line", ["set -a", "# unset X", "Z=$X", "XY=1 Z=2", "echo 'it'\"s\" # don't"])
def test_other_lines_do_not_disturb(section: Run, tmp_path: Path, line: str) -> None:
    path = tmp_path / "env"
    path.write_text(f"X=1\n{line.replace('XY=1 Z=2', 'XY=1')}\n")

    assert judge(section, declared(path, X="1"))[1] is Action.NONE


def test_absent_unset_and_emptied_are_three_things(section: Run, tmp_path: Path) -> None:
    path = tmp_path / "env"
    assert isinstance(judge(section, declared(path, X=""))[0], Absent)
    path.write_text("")
    assert judge(section, declared(path, X="", Y=None))[2] == {"variables.X": (None, "")}
    path.write_text("X=\nY=\n")
    assert judge(section, declared(path, X="", Y=None))[2] == {"variables.Y": ("", None)}


def test_removing_a_variable_is_destructive_and_setting_one_is_not() -> None:
    resource = declared_at("/e", X="1", Y=None)
    _, removes = compare({"variables": {"Y": None}}, Present({"variables": {"Y": "1"}}))
    _, sets = compare({"variables": {"X": "1"}}, Present({"variables": {"X": None}}))

    assert resource.effect(Action.UPDATE, removes) is Effect.DESTRUCTIVE
    assert resource.effect(Action.UPDATE, sets) is Effect.SAFE
    assert resource.effect(Action.CREATE, ()) is Effect.SAFE


def declared_at(path: str, **variables: str | None) -> EnvFileResource:
    return EnvFileResource(name=path, variables=variables)


@pytest.mark.parametrize("name", ["", "1X", "A-B", "A B", "A\nB"])
def test_a_name_that_no_shell_knows_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name of a variable"):
        EnvFileResource(name="/e", variables={name: "1"})


def test_a_secret_that_cannot_be_written_is_refused_without_showing_it() -> None:
    with pytest.raises(ValueError, match="KEY holds what the shell and compose read differently") as refused:
        EnvFileResource(
            name="/e", variables={"KEY": placeholder("k")}, secrets={"k": SecretStr(f"{HIDDEN}'$")}
        )

    assert HIDDEN not in str(refused.value)


def test_an_answer_that_was_cut_short_is_no_answer(section: Run, tmp_path: Path) -> None:
    printed = section(FACT, [declared(tmp_path / "env", X="1")])

    with pytest.raises(FactError, match="cut short"):
        FACT.parse(printed[: printed.index(f"{MARK}x part variables")])


@given(st.text(max_size=40))
def test_whatever_a_host_answers_is_understood_or_refused(junk: str) -> None:
    text = (
        f"{MARK}x part salt\ns\n{MARK}x rc 0 \n{MARK}x part stat /e\nregular file|600|a|b|1\n{MARK}x rc 0 \n"
    )
    try:
        FACT.parse(f"{text}{MARK}x part variables /e\n{junk}\n{MARK}x rc 0 \n")
    except FactError:
        return


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("# ours\nA=1\nB=2\n", Present({"variables": ["A", "B"]})),
        ("# only this\n", Present({"variables": []})),
        ("B=1\nOTHER=x\n", Present({"variables": ["B"]}, reason="the file stays: nobody declared OTHER")),
        ("OTHER=x\n", Absent(reason="the file stays: nobody declared OTHER")),
        (None, Absent()),
    ],
)
def test_what_is_to_be_removed_are_our_variables(
    section: Run, tmp_path: Path, text: str | None, seen: Observation
) -> None:
    path = tmp_path / "env"
    if text is not None:
        path.write_text(text)
    wish = EnvFileResource(name=str(path), variables={"A": "1", "B": None}, state="absent")

    assert observe_env_file(FACT.parse(section(FACT, [wish])), wish, HERE) == seen
