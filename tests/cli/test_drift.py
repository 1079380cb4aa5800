"""`drift` as cron runs it, and the files it writes beside its text."""

from __future__ import annotations

import errno
import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gonka_state.cli.drift import closing
from gonka_state.cli.options import Options
from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.plan import Plan
from gonka_state.spec.load import load
from tests.cli.conftest import Ran, Tiny

if TYPE_CHECKING:
    from collections.abc import Callable

    Program = Callable[..., Ran]

CRON = {"PATH": "/usr/bin:/bin"}


def test_in_crons_environment_it_tells_what_is_unknown_since_when(program: Program, tiny: Tiny) -> None:
    ran = program("drift", tiny.file, env=CRON)

    assert (ran.status, ran.err) == (1, "")
    assert ran.out.startswith("tiny · PRODUCTION\n\ntiny-a\n  ? unknown: the SSH key ")
    assert "      unknown since this check\n" in ran.out
    assert ran.out.splitlines()[-1].startswith(
        "Drift: nothing is known to differ; 3 unknown; 0 in sync (2 hosts"
    )


def test_json_says_since_when(program: Program, tiny: Tiny) -> None:
    first, found = (json.loads(program("drift", tiny.file, "--json").out)["clusters"][0] for _ in range(2))

    assert first["hosts"]["tiny-a"]["since"] == found["hosts"]["tiny-a"]["since"]
    assert found["changes"][0]["origin"] == "unknown"
    assert found["changes"][0]["since"] == found["hosts"]["tiny-a"]["since"]
    assert found["hosts"]["tiny-a"]["since"].endswith("+00:00")


def test_files_are_written_for_their_readers(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    words = ("drift", tiny.file, "--junit", str(out / "d.xml"), "--prometheus", str(out / "d.prom"))

    ran = program(*words)

    assert ran.status == 1
    assert sorted(path.name for path in out.iterdir()) == ["d.prom", "d.xml"]
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o644}
    assert 'gonka_state_unknown{cluster="tiny"} 3\n' in (out / "d.prom").read_text()
    assert ET.parse(out / "d.xml").getroot()[0].attrib["errors"] == "3"  # noqa: S314 (our own)


def test_a_file_that_cannot_be_written_is_told_after_the_drift(program: Program, tiny: Tiny) -> None:
    ran = program("drift", tiny.file, "--prometheus", "/nowhere/d.prom")

    assert ran.status == 1
    assert ran.out.splitlines()[-1].startswith("Drift: ")
    assert ran.err == "error: /nowhere/d.prom cannot be written: No such file or directory\n"


def test_a_url_that_does_not_answer_has_no_part_in_what_was_found(
    program: Program, tiny: Tiny, tmp_path: Path
) -> None:
    file = tmp_path / "ping-url"
    file.write_text("http://127.0.0.1:1/c0ffee\n")

    ran = program("drift", tiny.file, "--ping-url-file", str(file))

    assert ran.status == 1
    assert ran.out.splitlines()[-1].startswith("Drift: ")
    assert ran.err == f"error: the ping URL in {file} could not be called: Connection refused\n"


def test_a_run_that_reached_no_end_calls_nobody(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    tiny.write("cluster: tiny\nhosts: {}\n")

    ran = program("drift", tiny.file, "--ping-url-file", str(tmp_path / "ping-url"))

    assert ran.status == 4
    assert "ping" not in ran.err


def test_progress_that_cannot_be_told_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("click.echo", full)

    options().say("net", "half way")


def options(*overlays: str, **more: object) -> Options:
    found = Options(
        (), tuple(map(Path, overlays)), (), (), (), as_json=False, quiet=False, color="never", verbose=0
    )
    return replace(found, **more)  # type: ignore[arg-type]  # an option's own words


def change(name: str, **more: object) -> Change:
    return replace(Change(Address("tiny-a", "file", name), Action.UPDATE), **more)  # type: ignore[arg-type]  # a change's own words


@pytest.mark.parametrize(
    ("changes", "given", "said"),
    [
        ((change("a"),), options(), ["gonka-state converge FILE"]),
        ((), options(), []),
        ((change("a", human=True), change("b", conditional=True)), options(), []),
        ((change("a", held="needs --allow destructive"),), options(), ["gonka-state converge FILE --allow destructive"]),
        (
            (change("a", held="needs --allow warm-key"), change("b", held="not now: PoC")),
            options("/o v.yaml", hosts=("tiny-a",)),
            [
                "gonka-state converge FILE --overlay '/o v.yaml' --host tiny-a",
                "gonka-state converge FILE --overlay '/o v.yaml' --host tiny-a --allow warm-key",
            ],
        ),
    ],
)  # fmt: skip
def test_the_command_line_that_closes_it(
    tiny: Tiny, changes: tuple[Change, ...], given: Options, said: list[str]
) -> None:
    from gonka_state.registry import KINDS  # noqa: PLC0415 (as the command does)

    models = {name: kind.resource for name, kind in KINDS.items()}
    desired = load([Path(tiny.file)], models=models, env={})[0]
    plan = Plan("tiny", lab=False, hosts=(), changes=changes, in_sync=0)

    assert closing(given, desired, plan) == [line.replace("FILE", tiny.file) for line in said]


@pytest.mark.skipif(os.geteuid() != 0, reason="a look becomes root")
def test_drift_pending_and_back_again(program: Program, here: Tiny, state: Path) -> None:
    one = here.root / "one"
    text = Path(here.file).read_text(encoding="utf-8")

    assert program("drift", here.file, env=CRON) == Ran(0, "", "")

    one.write_text('SECRET="tampered"\n')
    drifted = program("drift", here.file, env=CRON)
    assert (drifted.status, drifted.err) == (2, "")
    assert "      drift since this check\n" in drifted.out
    assert f"to close it\n  gonka-state converge {here.file}\n" in drifted.out
    assert drifted.out.splitlines()[-1].startswith("Drift: 1 drifted; 0 unknown; 1 in sync (1 hosts, ")

    here.write(text.replace('/two, content: "', '/two, content: "# more\\n'))
    both = json.loads(program("drift", here.file, "--json", env=CRON).out)["clusters"][0]["changes"]
    assert {change["name"]: change["origin"] for change in both} == {
        str(one): "drift",
        f"{here.root}/two": "pending",
    }

    here.write(text)
    one.write_text('SECRET="hunter2"\n')
    assert program("drift", here.file, env=CRON) == Ran(0, "", "")
    shown = program("history", "show", "2").out
    assert f"drift    here-a/file:{one}  since" in shown
    kept = b"".join(path.read_bytes() for path in state.iterdir())
    assert b"hunter2" not in kept
    assert b"tampered" not in kept


@pytest.mark.skipif(os.geteuid() != 0, reason="a look becomes root")
def test_a_converge_closes_what_drifted_and_is_kept_with_its_steps(program: Program, here: Tiny) -> None:
    program("drift", here.file)
    for name in ("one", "two"):
        (here.root / name).unlink()

    part = program("converge", here.file, "--yes", "--host", "here-a", "--kind", "file")
    whole = program("converge", here.file, "--yes")
    one = json.loads(program("history", "--json").out)["clusters"][0]

    assert (part.status, whole.status) == (0, 0), part.err + whole.err
    # The second found nothing to run: it was a check.
    assert [(run["number"], run["whole"], len(run["steps"])) for run in one["converges"]] == [(2, False, 2)]
    assert (one["last"]["number"], one["last"]["command"], one["open"]) == (3, "converge", [])
