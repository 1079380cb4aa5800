"""What commands leave in the history, what they say where that cannot be, and how it is asked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from gonka_state.history import read
from gonka_state.history.file import opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonka_state.core.history import Run
    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


def last(state: Path) -> Run | None:
    with opened(state / "history.db") as connection:
        return read.last_run(connection, 1) if read.clusters(connection) else None


@pytest.mark.parametrize("command", ["diff", "drift", "converge"])
def test_a_whole_look_is_recorded(program: Program, tiny: Tiny, state: Path, command: str) -> None:
    assert program(command, tiny.file).status == 1

    run = last(state)
    if command == "converge":
        # Without a host to lock on there was no look.
        assert run is None or run.command == command
    else:
        assert run is not None
        assert (run.number, run.command, run.status, run.unknown, run.in_sync) == (1, command, 1, 3, 0)


def test_a_part_of_a_cluster_and_an_old_look_are_not(program: Program, tiny: Tiny, state: Path) -> None:
    program("diff", tiny.file, "--host", "tiny-a")
    program("diff", tiny.file, "--kind", "file")
    program("diff", tiny.file, "--observed", tiny.drifted())

    assert last(state) is None


def test_a_history_that_cannot_be_written_fails_nobody(program: Program, tiny: Tiny, state: Path) -> None:
    state.parent.mkdir(exist_ok=True)
    state.write_text("a file where a directory should be")

    ran = program("drift", tiny.file)

    assert ran.status == 1
    assert ran.err == f"not recorded: the history {state / 'history.db'} cannot be used: File exists\n"


def test_what_was_recorded_is_shown(program: Program, tiny: Tiny) -> None:
    assert program("history").err == "nothing is recorded yet: diff, drift and converge do that\n"
    program("drift", tiny.file)

    ran = program("history", tiny.file)
    assert ran.status == 0
    assert ran.out.startswith(
        "tiny · PRODUCTION · the last 7 d\n  in sync 0.0 %, differs 0.0 %, unknown 100.0 %\n"
    )
    assert "unknown  tiny-a  since" in ran.out
    document = json.loads(program("history", "--json", "--since", "2026-01-01").out)
    assert document["format"] == "gonka-state/history"
    assert [item["subject"] for item in document["clusters"][0]["open"]] == ["tiny-a", "tiny-b"]
    assert program("history", "show", "1").out.startswith("tiny · PRODUCTION · #1 drift\n")
    assert json.loads(program("history", "show", "1", "--json").out)["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--since", "yesterday"),
            "'yesterday' is no span of time such as 7d, and no date such as 2026-11-01",
        ),
        (("--since", "2999-01-01"), "--since 2999-01-01 lies in the future"),
        (("show",), "history show takes the number of one check or converge"),
        (("show", "x"), "gonka-state history show 12"),
        (("show", "9" * 30), "there is no check or converge 9"),
        (("show", "4"), "there is no check or converge 4"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)
def test_a_mistake_is_answered(program: Program, words: tuple[str, ...], said: str) -> None:
    ran = program("history", *words)

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err


def test_it_loads_neither_the_ssh_stack_nor_the_kinds(program: Program, tiny: Tiny) -> None:
    heavy = ("pyinfra", "gevent", "paramiko", "pydantic", "gonka_state.registry")
    code = f"import sys, gonka_state.cli.history; sys.exit(any(m in sys.modules for m in {heavy}))"
    import subprocess  # noqa: PLC0415 (only here)
    import sys  # noqa: PLC0415 (only here)

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    assert program("history", tiny.file).status == 0
