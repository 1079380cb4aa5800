"""Every ending has its exit status, its words on the right stream, and its JSON where that was asked for."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click
import pytest

from gonka_state.cli import _ending
from gonka_state.errors import (
    FactError,
    GonkaStateError,
    InputError,
    LabError,
    RefusedError,
    StepError,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran, Tiny

    Cli = Callable[..., Ran]
    Document = Callable[[Ran], dict[str, object]]


@pytest.mark.parametrize(
    ("snapshot", "arguments", "status"),
    [
        ("in_sync", (), 0),
        ("in_sync", ("--json",), 0),
        ("in_sync", ("--quiet",), 0),
        ("drifted", (), 2),
        ("drifted", ("--exit-zero",), 0),
        ("drifted", ("--host", "b"), 2),
        ("drifted", ("--kind", "file"), 2),
        ("half", (), 3),
        ("half", ("--exit-zero",), 3),
        ("half", ("--host", "a"), 0),
        ("half", ("--host", "tiny-b"), 1),
        ("blind", (), 1),
        ("blind", ("--exit-zero",), 1),
    ],
)
def test_diff_of_a_snapshot(
    cli: Cli, tiny: Tiny, snapshot: str, arguments: tuple[str, ...], status: int
) -> None:
    ran = cli("diff", tiny.file, "--observed", getattr(tiny, snapshot)(), *arguments)

    assert (ran.status, ran.err) == (status, "")
    if "--json" in arguments:
        assert json.loads(ran.out)["exit_status"] == status


def test_an_old_snapshot_is_not_shown_as_today(cli: Cli, tiny: Tiny) -> None:
    told = cli("diff", tiny.file, "--observed", tiny.drifted()).out.splitlines()[-3:]

    assert re.fullmatch(r"as it was \d+ d( \d+ h)? ago, 20\d\d-\d\d-\d\d \d\d:\d\d UTC", told[0])
    assert told[2].startswith("Plan: ")


def test_quiet_prints_nothing_when_in_sync_and_everything_when_not(cli: Cli, tiny: Tiny) -> None:
    assert cli("diff", tiny.file, "-q", "--observed", tiny.in_sync()).out == ""
    assert "/etc/one" in cli("diff", tiny.file, "-q", "--observed", tiny.drifted()).out


def test_the_summary_is_the_last_line_of_every_diff(cli: Cli, tiny: Tiny) -> None:
    for snapshot in (tiny.in_sync(), tiny.drifted(), tiny.half(), tiny.blind()):
        assert cli("diff", tiny.file, "--observed", snapshot).out.splitlines()[-1].startswith("Plan: ")


def test_unmanaged_is_listed_on_request(cli: Cli, tiny: Tiny) -> None:
    assert (
        "nothing unmanaged was seen"
        in cli("diff", tiny.file, "--unmanaged", "--observed", tiny.in_sync()).out
    )


def test_the_json_of_a_plan_carries_every_host_and_change(cli: Cli, tiny: Tiny, document: Document) -> None:
    found = document(cli("diff", tiny.file, "--json", "--observed", tiny.drifted()))

    assert (found["format"], found["version"], found["exit_status"]) == ("gonka-state/plan", 1, 2)
    cluster = found["clusters"][0]  # type: ignore[index]  # checked by what follows
    assert {host: look["execs"] for host, look in cluster["hosts"].items()} == {"tiny-a": 1, "tiny-b": 1}
    assert [change["address"] for change in cluster["changes"]] == [
        "tiny-a/file:/etc/one",
        "tiny-b/directory:/srv/three",
    ]
    assert cluster["changes"][0]["attributes"] == [
        {"name": "content", "before": "changed\n", "after": "first\n"}
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("dif",), "No such command 'dif'. Did you mean 'diff'?"),
        (("convrge",), "Did you mean 'converge'?"),
        (("xyzzy",), "No such command 'xyzzy'."),
        (("diff", "--hots", "x"), "No such option '--hots'. Did you mean '--host'?"),
        (("diff", "--color", "sometimes"), "'sometimes' is not one of 'auto', 'always', 'never'"),
        (("diff", "FILE", "--host", "tny-a"), "--host tny-a: no such host; did you mean tiny-a?"),
        (("diff", "FILE", "--kind", "fiel"), "--kind fiel: no such kind; did you mean file?"),
        (("diff", "/no/such.yaml"), "/no/such.yaml"),
        (("diff", "FILE", "--observed", "/no/such.json"), "/no/such.json cannot be read"),
        (("diff", "FILE", "--observed", "FILE"), "is damaged"),
        (("converge", "FILE", "--allow", "everything"), "'everything' is not"),
        (("observe", "FILE", "FILE", "--frobnicate"), "No such option '--frobnicate'"),
        (("lab", "upp"), "No such command 'upp'"),
    ],
)
def test_a_mistake_on_the_command_line_names_the_nearest_right_word(
    cli: Cli, tiny: Tiny, arguments: tuple[str, ...], said: str
) -> None:
    ran = cli(*(tiny.file if word == "FILE" else word for word in arguments))

    assert said in ran.err
    assert ran.out == ""
    assert ran.status == (1 if said == "is damaged" else 4)


@pytest.mark.parametrize(
    "arguments", [("diff", "--color", "x"), ("diff", "/no/such.yaml"), ("converge", "FILE")]
)
def test_an_error_is_a_document_where_json_was_asked_for(
    cli: Cli, tiny: Tiny, document: Document, arguments: tuple[str, ...]
) -> None:
    ran = cli(*(tiny.file if word == "FILE" else word for word in arguments), "--json")
    found = document(ran)

    assert (found["format"], found["version"], found["exit_status"]) == ("gonka-state/error", 1, 4)
    assert found["message"]
    assert found["problems"]
    assert (ran.status, ran.err) == (4, "")


def test_every_problem_of_the_yaml_is_said_at_once_with_its_place(cli: Cli, tiny: Tiny) -> None:
    tiny.write("cluster: tiny\nhots: {}\nssh: {user: 7}\n")

    ran = cli("validate", tiny.file)

    assert ran.status == 4
    assert f"{tiny.file}:2:1" in ran.err
    assert f"{tiny.file}:3" in ran.err
    assert "problems; no host was touched" in ran.err
    assert ran.out == ""


def test_a_valid_file_is_said_to_be_valid_or_nothing(cli: Cli, tiny: Tiny) -> None:
    assert cli("validate", tiny.file) == cli("validate", tiny.file)
    assert cli("validate", tiny.file).out == "tiny: 2 hosts, 3 resources, valid\n"
    assert cli("validate", tiny.file, "--quiet").out == ""


def test_without_paths_the_directory_desired_is_meant(
    cli: Cli, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("validate")
    assert (ran.status, f"there is no directory {tmp_path / 'desired'}" in ran.err) == (4, True)
    assert "name a cluster file" in ran.err

    (tmp_path / "desired").mkdir()
    (tmp_path / "tiny.yaml").rename(tmp_path / "desired" / "tiny.yaml")
    assert cli("validate").out.startswith("tiny: ")
    assert tiny.root == tmp_path


def test_a_snapshot_of_another_cluster_is_refused(cli: Cli, tiny: Tiny) -> None:
    snapshot = tiny.in_sync()
    tiny.write((tiny.root / "tiny.yaml").read_text(encoding="utf-8").replace("tiny", "other"))

    ran = cli("diff", tiny.file, "--observed", snapshot)

    assert ran.status == 4
    assert "is a snapshot of tiny, which is not among the YAML given" in ran.err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (GonkaStateError("wrong", hint="try this"), 1, "error: wrong\n  try this\n"),
        (InputError(["one", "two"]), 4, "error: one\nerror: two\n2 problems; no host was touched\n"),
        (RefusedError("locked", hint="wait"), 6, "error: locked\n  wait\n"),
        (FactError("garbage"), 3, "error: garbage\n"),
        (StepError("no ink"), 5, "error: no ink\n"),
        (LabError("no mounts"), 1, "error: no mounts\n"),
        (
            KeyboardInterrupt(),
            130,
            "interrupted; run the same command again, it continues from what is true\n",
        ),
        (click.Abort(), 130, "interrupted; run the same command again, it continues from what is true\n"),
        (click.FileError("f", "no"), 1, "Error: Could not open file 'f': no\n"),
    ],
)
def test_every_expected_error_has_its_status_and_no_traceback(
    capsys: pytest.CaptureFixture[str], error: BaseException, status: int, said: str
) -> None:
    assert _ending(error, as_json=False) == status
    assert capsys.readouterr() == ("", said)


def test_a_bug_leaves_its_traceback_in_a_file_and_not_on_the_screen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    status = _ending(ZeroDivisionError("hidden value"), as_json=False)

    said = capsys.readouterr().err
    report = next(tmp_path.glob("gonka-state-bug-*.txt"))
    assert status == 1
    assert "a bug in gonka-state" in said
    assert str(report) in said
    assert "Traceback" not in said
    assert "hidden value" not in said
    assert "ZeroDivisionError" in report.read_text(encoding="utf-8")
    assert report.stat().st_mode & 0o077 == 0


def test_an_exit_of_the_interpreter_is_not_ours_to_judge() -> None:
    with pytest.raises(SystemExit):
        _ending(SystemExit(3), as_json=False)
