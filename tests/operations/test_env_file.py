"""Variables put in place by a real sh and awk: what nobody declared stays byte for byte."""

from __future__ import annotations

import subprocess
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
from gonka_state.operations import env_file
from gonka_state.operations.base import Do, Step
from gonka_state.resources.env_file import EnvFileResource

if TYPE_CHECKING:
    from pathlib import Path

HIDDEN = "Zq7 'Hidden' Value"


def do(path: Path, *differ: str, action: Action = Action.UPDATE, **words: object) -> Do:
    resource = EnvFileResource.model_validate({"name": str(path), **words})
    changes = tuple(AttributeChange(name, None, None) for name in differ)
    change = Change(Address("h", "env-file", str(path)), action, changes)
    (command,) = env_file.apply(Step(change, resource, Absent(), Here("h", {}), Timeouts()))
    assert isinstance(command, Do)
    return command


def run(command: Do) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-s"] if not command.stdin else ["sh", "-c", command.script],
        input=(command.stdin or command.script).encode(),
        capture_output=True,
        check=False,
        timeout=30,
    )


def put(path: Path, **variables: str | None) -> subprocess.CompletedProcess[bytes]:
    """Change these variables, as if all of them differed."""
    return run(do(path, *(f"variables.{name}" for name in variables), variables=variables))


def test_what_cannot_be_had_again_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / ".dapi/env"
    path.parent.mkdir()
    path.write_text("A=1\n")

    done = run(do(path, action=Action.DELETE, variables={"A": "1"}))

    assert (done.returncode, path.read_text()) == (1, "A=1\n")


def test_only_the_value_changes(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("# don't\r\n\n  export A='1'\t # one\nB=2\nexport C\nset -a\nexport D=4")

    assert put(path, A="x y", B="").returncode == 0

    after = b"# don't\r\n\n  export A='x y'\t # one\nB=\nexport C\nset -a\nexport D=4"
    assert path.read_bytes() == after
    previous = (tmp_path / "env.gonka-state-previous").read_bytes()
    assert previous.startswith(b"# don't\r\n\n  export A='1'")
    assert len(list(tmp_path.iterdir())) == 2


def test_what_the_file_lacks_comes_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1")

    put(path, B="2", C="$3")

    assert path.read_text() == "A=1\nexport B=2\nexport C='$3'\n"


def test_a_line_that_is_not_plain_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("export A=$HOME/x\r\nB='one\ntwo'\nC=3\n")

    put(path, A="/root/x", B="one")

    assert path.read_text() == "export A=/root/x\nexport B=one\nC=3\n"


def test_of_a_variable_set_twice_the_last_changes_and_all_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1\nB=1\nA=2\nB=$2\n")

    put(path, A="3", B=None)

    assert path.read_text() == "A=1\nA=3\n"


def test_what_is_removed_is_not_kept_elsewhere(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1\nKEYRING_PASSWORD=gone\nB=2\n")
    path.chmod(0o644)

    put(path, A="3", KEYRING_PASSWORD=None)

    assert path.read_text() == "A=3\nB=2\n"
    assert (tmp_path / "env.gonka-state-previous").read_text() == "A=1\nB=2\n"


def test_the_previous_version_is_no_more_open_than_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1\n")
    path.chmod(0o644)

    run(do(path, "mode", "variables.A", variables={"A": "2"}, mode="0600"))

    assert [item.stat().st_mode & 0o777 for item in tmp_path.iterdir()] == [0o600, 0o600]


def test_only_the_variables_that_differ_are_touched(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text('A="1"\nB="2"\n')

    run(do(path, "variables.B", variables={"A": "1", "B": "3", "C": None}))

    assert path.read_text() == 'A="1"\nB=3\n'


def test_a_new_file_has_the_layout_and_every_variable(tmp_path: Path) -> None:
    path = tmp_path / "env"
    secret = placeholder("k")
    command = do(
        path,
        action=Action.CREATE,
        variables={"A": "1", "KEY": secret, "B": "2", "GONE": None},
        secrets={"k": SecretStr(HIDDEN)},
        layout=f"# it's ours\nexport A=1\nexport KEY='{secret}'\nGONE=1\n",
    )

    assert run(command).returncode == 0

    assert path.read_text() == f'# it\'s ours\nexport A=1\nexport KEY="{HIDDEN}"\nexport B=2\n'
    assert path.stat().st_mode & 0o777 == 0o600
    assert HIDDEN not in command.script
    assert HIDDEN not in repr(command)


def test_a_file_that_changed_so_that_it_cannot_be_edited_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "env"
    for text in ("A=1\nB='\n", "A=1\nunset A\n", "A=1\0\n"):
        path.write_text(text)

        done = put(path, A="2")

        assert done.returncode != 0
        assert done.stderr
        assert path.read_text() == text
        assert list(tmp_path.iterdir()) == [path]


def test_only_the_mode_is_set_where_only_the_mode_differs(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1\n")

    assert run(do(path, "mode", variables={"A": "2"}, mode="0600")).returncode == 0

    assert path.read_text() == "A=1\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_that_does_not_validate_never_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1\nif\n")

    done = run(do(path, "variables.A", variables={"A": "2"}, validate_with='sh -n "$1"'))

    assert done.returncode != 0
    assert path.read_text() == "A=1\nif\n"


LINES = st.lists(
    st.sampled_from(
        [
            "",
            "# a",
            "\tset -a",
            "export Z=1",
            "Z='a b'",
            "A=1",
            "export A='2' # x",
            "B=",
            "C=\\$",
            "é",
            "B=$A",
        ]
    ),
    max_size=8,
)


@settings(max_examples=30)
@given(lines=LINES, value=st.sampled_from(["", "plain", "a b", "$x", "it's"]), ends=st.booleans())
def test_nothing_else_changes_whatever_the_file_holds(
    tmp_path: Path, lines: list[str], value: str, *, ends: bool
) -> None:
    path = tmp_path / "env"
    text = "\n".join(lines) + ("\n" if ends and lines else "")
    path.write_text(text)

    assert put(path, A=value, B=None).returncode == 0

    def others(content: str) -> list[str]:
        return [
            line for line in content.split("\n") if line and not line.startswith(("A=", "export A=", "B="))
        ]

    shown = subprocess.run(
        ["sh", "-c", f'set -- "{path}"; eval "$(grep A= "$1" | grep -v B)"; printf %s "$A"'],
        capture_output=True,
        check=True,
        text=True,
    )
    assert others(path.read_text()) == others(text)
    assert shown.stdout == value


@pytest.mark.parametrize("name", ["with space", "it's", "CONTENT", "ä"])
def test_any_name_is_written_as_it_is(tmp_path: Path, name: str) -> None:
    assert run(do(tmp_path / name, action=Action.CREATE, variables={"A": "1"})).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == [name]


def remove(path: Path, **variables: str | None) -> subprocess.CompletedProcess[bytes]:
    return run(do(path, action=Action.DELETE, state="absent", validate_with="false", variables=variables))


def test_a_file_that_is_ours_alone_goes_with_its_previous_version(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("# ours\nA=1\n  export B='two'\n\n")
    (tmp_path / "env.gonka-state-previous").write_text("A=0\n")

    assert remove(path, A="1", B="other", C=None).returncode == 0

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("other", ["THEIRS='x'", ". /etc/default/other", "export PATH"])
def test_what_nobody_declared_keeps_the_file(tmp_path: Path, other: str) -> None:
    path = tmp_path / "env"
    path.write_text(f"# ours\nA=1\n{other}\nB=2\n")

    assert remove(path, A="1", B="2").returncode == 0

    assert path.read_text() == f"# ours\n{other}\n"
    assert (tmp_path / "env.gonka-state-previous").read_text() == f"# ours\n{other}\n"


def test_a_line_that_speaks_of_ours_among_others_is_left_to_a_human(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("A=1; export A\n")

    assert remove(path, A="1").returncode != 0
    assert path.read_text() == "A=1; export A\n"
