"""One `Do` through a real sh: exact input, both outputs, the status, the deadline, and nothing in an argument."""

from __future__ import annotations

import base64
import gzip
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.engine.remote import as_root, look_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.operations.base import Result

    RunDo = Callable[..., Result]

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)


def answer(line: str, stdin: bytes, env: dict[str, str]) -> list[str]:
    done = subprocess.run(
        ["sh", "-c", line], input=stdin, stdout=subprocess.PIPE, env=env, check=False, timeout=60
    )
    return done.stdout.decode().split("\n")


@pytest.fixture
def run_do(root_env: dict[str, str]) -> RunDo:
    """Run a script the way `Hands.do` sends it, and read its answer the same way."""
    # `hands` loads pyinfra; collecting tests must not.
    from gonka_state.engine.hands import do_command, read_result  # noqa: PLC0415

    def run(script: str, stdin: bytes = b"", deadline: int = 20, more: bytes = b"\n") -> Result:
        line = do_command(len(script.encode()), len(stdin), deadline)
        # pyinfra ends what it writes with a newline of its own.
        return read_result(answer(line, script.encode() + stdin + more, root_env))

    return run


def test_both_outputs_and_the_status_come_back(run_do: RunDo) -> None:
    result = run_do("echo out; echo err >&2; exit 7")

    assert (result.status, result.stdout, result.stderr) == (7, "out\n", "err")


@settings(max_examples=15)
@given(text=TEXT)
def test_the_input_arrives_byte_for_byte(run_do: RunDo, text: str) -> None:
    assert run_do("cat", text.encode()).stdout == text


@pytest.mark.parametrize("data", [b"", b"\n", b"no newline at the end", b"nul \0 byte", b"\x81\x88\xff"])
def test_input_is_exactly_what_was_given(run_do: RunDo, data: bytes) -> None:
    assert run_do("od -An -v -tx1 | tr -d ' \\n'", data).stdout == data.hex()


def test_a_megabyte_goes_in_and_out(run_do: RunDo) -> None:
    data = os.urandom(500_000).hex().encode()

    assert run_do("cat", data).stdout == data.decode()


def test_input_that_nobody_reads_is_no_failure(run_do: RunDo) -> None:
    assert run_do("echo done", b"x" * 1_000_000).stdout == "done\n"


@settings(max_examples=15)
@given(text=TEXT)
def test_a_script_may_hold_any_text(run_do: RunDo, text: str) -> None:
    script = f"cat <<'THE_END'\n{text}\nTHE_END\nprintf %s '\"`$HOME'"

    assert run_do(script).stdout == f'{text}\n"`$HOME'


@pytest.mark.parametrize(
    ("script", "out"),
    [
        ("cat <<END\n$((1+1)) `echo two`\nEND", "2 two\n"),
        ("echo 'GONKA_STATE_SCRIPT\nGONKA_STATE_SCRIPT'", "GONKA_STATE_SCRIPT\nGONKA_STATE_SCRIPT\n"),
        ("echo '#@status 3'", "#@status 3\n"),
        ("printf 'a\\n#@status 3\\nb'", "a\n#@status 3\nb"),
        ("set -eu\nx='it'\\''s'\necho \"$x\"", "it's\n"),
        ("printf 'Á\\201'", "Á\ufffd"),
        ("", ""),
    ],
)
def test_what_a_script_says_comes_back_as_it_is(run_do: RunDo, script: str, out: str) -> None:
    assert (run_do(script).status, run_do(script).stdout) == (0, out)


def test_a_complaint_that_looks_like_a_status_is_none(run_do: RunDo) -> None:
    result = run_do("printf 'one\\n#@status 0\\ntwo' >&2; exit 5")

    assert (result.status, result.stdout) == (5, "")
    assert result.stderr.splitlines()[-1] == "two"


@pytest.mark.parametrize("status", [0, 1, 2, 100, 126, 127, 254])
def test_every_status_comes_back(run_do: RunDo, status: int) -> None:
    assert run_do(f"exit {status}").status == status


def test_a_syntax_error_is_a_status_and_words(run_do: RunDo) -> None:
    result = run_do("if")

    assert result.status == 2
    assert "yntax" in result.words


def test_what_takes_too_long_is_stopped(run_do: RunDo) -> None:
    started = time.monotonic()

    result = run_do("echo begun; sleep 30; echo never", deadline=1)

    assert (result.status, result.stdout) == (124, "begun\n")
    assert time.monotonic() - started < 10


def test_only_the_end_of_a_long_complaint_comes_back(run_do: RunDo) -> None:
    result = run_do("i=0; while [ $i -lt 2000 ]; do echo complaint $i; i=$((i+1)); done >&2; exit 1")

    assert len(result.stderr) <= 4000
    assert result.stderr.endswith("complaint 1999")
    assert result.words == "complaint 1997; complaint 1998; complaint 1999"


WHOLE = base64.b64encode(gzip.compress(b"out\n#@status 0\n", mtime=0)).decode()


@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_cut_anywhere_is_a_lost_connection(length: int) -> None:
    from gonka_state.engine.hands import read_result  # noqa: PLC0415 (as above)
    from gonka_state.operations.base import LOST  # noqa: PLC0415 (as above)

    assert read_result([WHOLE[:length]]).status == LOST


@given(st.lists(st.text(max_size=20)))
def test_any_other_answer_is_a_lost_connection_too(lines: list[str]) -> None:
    from gonka_state.engine.hands import read_result  # noqa: PLC0415 (as above)
    from gonka_state.operations.base import LOST  # noqa: PLC0415 (as above)

    assert read_result(lines).status == LOST


def test_without_a_status_nothing_is_believed() -> None:
    from gonka_state.engine.hands import read_result  # noqa: PLC0415 (as above)
    from gonka_state.operations.base import LOST  # noqa: PLC0415 (as above)

    result = read_result([base64.b64encode(gzip.compress(b"half an answer", mtime=0)).decode()])

    assert (result.status, result.stdout) == (LOST, "half an answer")


def test_the_answer_may_come_in_many_lines() -> None:
    from gonka_state.engine.hands import read_result  # noqa: PLC0415 (as above)

    assert read_result([f"{WHOLE[:10]} ", "", WHOLE[10:]]).stdout == "out"


NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become nobody")
def test_where_sudo_asks_for_a_password_nothing_runs() -> None:
    from gonka_state.engine.hands import do_command, read_result  # noqa: PLC0415 (as above)

    script = b"id -u"
    done = subprocess.run(
        [*NOBODY, "sh", "-c", do_command(len(script), 0, 5)],
        input=script,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=30,
    )

    result = read_result(done.stdout.decode().split("\n"))

    assert (result.status, result.stdout) == (126, "")
    assert result.words == "sudo without a password was refused"


def test_a_look_runs_its_script_and_knows_its_peer(root_env: dict[str, str]) -> None:
    script = 'echo "$GONKA_STATE_PEER"; read -r next; echo "$next"; id -u'
    env = {**root_env, "SSH_CONNECTION": "10.77.0.254 50000 10.77.0.11 22"}

    lines = answer(look_command(len(script)), f"{script}rest of stdin\n".encode(), env)

    assert lines[:2] == ["10.77.0.254", "rest of stdin"]


def test_what_is_run_as_root_survives_the_quoting(root_env: dict[str, str]) -> None:
    line = "echo 'it'\\''s' \"$HOME\" {braces} %s"

    assert (
        answer(as_root(line, otherwise="exit 9"), b"", {**root_env, "HOME": "/h"})[0] == "it's /h {braces} %s"
    )
