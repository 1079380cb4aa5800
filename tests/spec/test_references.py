"""Values that only the operator knows: found, or withheld with the name, the place and the reason."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from gonka_state.spec import references
from gonka_state.spec.problems import Problems
from gonka_state.spec.references import References, Value, Withheld
from gonka_state.spec.tree import parse

if TYPE_CHECKING:
    from collections.abc import Callable

PATH = {"PATH": os.environ["PATH"]}
SMALL = (Path(__file__).parent / "small.yaml").read_text()
CONFIG = "\n    files: {/etc/a: {template: a.j2, vars: {token: {env: TOKEN}}}}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def value(text: str, env: dict[str, str] | None = None, *, secret: bool = False, run: bool = True) -> Value:
    node = parse(f"a:\n  b: {text}\n", "d/f.yaml", Problems())
    assert node is not None
    return References(env or {}, run).value(node.deepest(["a", "b"]), secret=secret)


def test_plain_text_and_environment() -> None:
    assert value("x") == "x"
    assert value("{env: A}", {"A": "x"}) == "x"


@pytest.mark.parametrize("env", [{}, {"A": ""}])
def test_an_unset_or_empty_variable_is_withheld(env: dict[str, str]) -> None:
    assert value("{env: A}", env) == Withheld("A (d/f.yaml:2) is not set")


@pytest.mark.parametrize(
    ("content", "expected"), [("x\n", "x"), ("x\r\n", "x"), ("x\n\n", "x\n"), (" x ", " x ")]
)
def test_a_file_loses_one_line_end(content: str, expected: str) -> None:
    Path("d").mkdir()
    Path("d/s").write_bytes(content.encode())
    assert value("{file: s}") == expected


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "cannot be read: no such file"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "is not UTF-8 text"),
        (b"x" * 70_000, "cannot be read: larger than 64 KiB"),
    ],
)
def test_a_file_that_gives_nothing_is_withheld(data: bytes | None, reason: str) -> None:
    Path("d").mkdir()
    if data is not None:
        Path("d/s").write_bytes(data)
    assert value("{file: s}") == Withheld(f"s (d/f.yaml:2) {reason}")


def test_a_pipe_is_not_waited_for() -> None:
    Path("d").mkdir()
    os.mkfifo("d/s")
    assert value("{file: s}") == Withheld("s (d/f.yaml:2) cannot be read: not a file")


def test_a_home_of_nobody_is_withheld() -> None:
    assert value("{file: ~nobody-here/s}") == Withheld(
        "~nobody-here/s (d/f.yaml:2) cannot be read: no user 'nobody-here' on this machine"
    )


def test_a_command_is_run_beside_its_file_without_a_shell_or_stdin() -> None:
    Path("d").mkdir()
    Path("d/s").write_text("x\n")
    assert value("{command: [cat, s, '-']}", PATH) == "x"
    assert value("{command: [echo, '$PATH; *']}", PATH) == "$PATH; *"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("[sh, -c, 'echo leak >&2; exit 3']", "failed with status 3"),
        ("[no-such-program]", "cannot be run: No such file or directory"),
        ("['true']", "printed nothing"),
        ("[printf, '\\377']", "printed something that is not UTF-8 text"),
    ],
)
def test_a_command_that_gives_nothing_is_withheld(command: str, reason: str) -> None:
    Path("d").mkdir()
    found = value(f"{{command: {command}}}", PATH)
    assert isinstance(found, Withheld)
    assert found.reason.endswith(reason)
    assert "leak" not in found.reason


def test_a_command_that_hangs_is_ended_with_its_children(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("d").mkdir()
    monkeypatch.setattr(references, "COMMAND_SECONDS", 0.3)
    started = time.monotonic()
    found = value("{command: [sh, -c, 'sleep 60 & sleep 60']}", PATH)
    assert found == Withheld("command 'sh' (d/f.yaml:2) did not end within 0.3 s")
    assert time.monotonic() - started < 20


def test_commands_run_only_when_asked_for() -> None:
    assert value("{command: [echo, x]}", PATH, run=False) == Withheld(
        "command 'echo' (d/f.yaml:2) was not run"
    )


def test_a_secret_is_wrapped() -> None:
    found = value("{env: A}", {"A": "correct-horse"}, secret=True)
    assert isinstance(found, SecretStr)
    assert "correct-horse" not in repr(found)


def test_what_depends_on_an_unset_value_is_withheld_and_nothing_else(read: Callable[..., Any]) -> None:
    text = SMALL.replace("\n    node: {host:", f"{CONFIG}    node: {{host:")
    desired = read(small=text, templates__a_j2="{{ network.ml_key_name }} {{ token }}")
    held = {str(address): item.withheld for address, item in desired.resources.items() if item.withheld}
    assert held == {
        "net/file:/etc/a": "TOKEN (small.yaml:26) is not set",
        "net/keyring:/opt/join/.inference/keyring-file": "PASSWORD (small.yaml:7) is not set",
    }
    assert desired.missing == ("PASSWORD (small.yaml:7) is not set", "TOKEN (small.yaml:26) is not set")


def test_secrets_stand_in_files_as_placeholders(read: Callable[..., Any]) -> None:
    text = SMALL.replace("\n    node: {host:", f"{CONFIG}    node: {{host:")
    env = {"PASSWORD": "correct-horse", "TOKEN": "battery"}
    desired = read(env=env, small=text, templates__a_j2="P={{ network.keyring_password }}\nT='{{ token }}'\n")
    file = next(item.resource for address, item in desired.resources.items() if address.kind == "file")
    assert file.content == "P=\0secret:keyring_password\0\nT='\0secret:token\0'\n"
    assert {name: secret.get_secret_value() for name, secret in file.secrets.items()} == {
        "keyring_password": "correct-horse",
        "token": "battery",
    }
    assert "correct-horse" not in f"{desired!r}{file.model_dump_json()}"
    assert not desired.missing
