"""`schedule` with a crontab in a directory of the test's own, and never one of this machine."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from gonka_state.schedule import systemd
from gonka_state.schedule.job import ping_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran, Tiny

    Cli = Callable[..., Ran]

URL = "https://ping.example/c0ffee-uuid"
CRONTAB = """\
#!/bin/sh
case $1 in
-l) [ ! -e "$0.says" ] || { cat "$0.says" >&2; exit 1; }
    cat "$0.saved" 2>/dev/null || { echo "no crontab for you" >&2; exit 1; } ;;
-) new=$(cat; echo .); case $new in *refused*) echo "bad minute" >&2; exit 1;; esac; printf %s "${new%.}" >"$0.saved" ;;
esac
"""


@pytest.fixture
def crontab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the crontab is kept; there is no systemd."""
    program = tmp_path / "bin" / "crontab"
    program.parent.mkdir()
    program.write_text(CRONTAB)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setattr(systemd, "directory", lambda: tmp_path / "units")
    return program.with_name("crontab.saved")


def test_a_line_comes_stays_one_and_goes(cli: Cli, tiny: Tiny, crontab: Path) -> None:
    crontab.write_text("0 1 * * * backup\n")

    first = cli("schedule", "install", tiny.file, "--cron")
    second = cli("schedule", "install", tiny.file, "--cron", "--every", "10m", "--prometheus", "/x/y.prom")
    text = crontab.read_text()

    assert (first.status, first.err, second.status) == (0, "", 0)
    assert text.startswith("0 1 * * * backup\n# gonka-state schedule: begin\n*/10 * * * * sleep ")
    assert f"drift {tiny.file} --prometheus /x/y.prom || " in text
    assert text.count("schedule: begin") == 1
    assert second.out.startswith("by       crontab\nruns     */10 * * * * sleep ")
    assert "\nchecked  drift was never recorded\nping     none\n" in second.out
    assert cli("schedule", "status").out == second.out
    assert cli("schedule", "remove").out == "removed\n"
    assert crontab.read_text() == "0 1 * * * backup\n"
    assert cli("schedule", "remove").out == "nothing was installed\n"
    assert cli("schedule", "status").out == "not installed: gonka-state schedule install PATH\n"


@pytest.mark.parametrize("given", [URL, "-"])
def test_a_ping_url_is_kept_for_its_owner_alone(
    cli: Cli, tiny: Tiny, crontab: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{URL}\n"))

    ran = cli("schedule", "install", tiny.file, "--cron", "--ping-url", given)
    again = cli("schedule", "install", tiny.file, "--cron")

    kept = ping_file()
    assert (ran.status, again.status) == (0, 0)
    assert kept.read_text() == f"{URL}\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert f"--ping-url-file {kept}" in crontab.read_text()
    assert URL not in crontab.read_text() + ran.out + ran.err
    cli("schedule", "remove")
    assert not kept.exists()


@pytest.mark.usefixtures("crontab")
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--every", "7m"), 4, "--every 7m divides neither an hour nor a day"),
        (("--every", "often"), 4, "--every 'often' is no span of time"),
        (("--ping-url", "c0ffee"), 4, "the ping URL is no http or https URL"),
        (("--overlay", "/no/such.yaml"), 4, "/no/such.yaml"),
        (("--overlay", "/no/refused.yaml"), 4, "/no/refused.yaml"),
    ],
)
def test_a_mistake_installs_nothing(
    cli: Cli, tiny: Tiny, words: tuple[str, ...], status: int, said: str
) -> None:
    ran = cli("schedule", "install", tiny.file, "--cron", *words)

    assert (ran.status, ran.out) == (status, "")
    assert said in ran.err
    assert "c0ffee" not in ran.err
    assert cli("schedule", "status").out.startswith("not installed")


def test_without_cron_and_without_systemd_it_says_so(
    cli: Cli, tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(systemd, "directory", lambda: tmp_path / "units")
    monkeypatch.setenv("PATH", str(tmp_path))

    assert "this machine has no crontab command" in cli("schedule", "install", tiny.file, "--cron").err
    timer = cli("schedule", "install", tiny.file)
    assert timer.err == "error: this machine does not run systemd\n  gonka-state schedule install --cron\n"
    assert not (tmp_path / "units").exists()


@pytest.mark.parametrize(
    "said",
    [
        "/var/spool/cron/crontabs/you: Input/output error",
        "You (you) are not allowed to use this program (crontab)\nSee crontab(1) for more information",
        "crontab: can't change directory to '/var/spool/cron/crontabs': No such file or directory",
        "",
    ],
)
def test_a_crontab_that_cannot_be_read_is_not_written_over(
    cli: Cli, tiny: Tiny, crontab: Path, said: str
) -> None:
    crontab.write_text("0 1 * * * backup\n")
    crontab.with_name("crontab.says").write_text(said)

    ran = [cli("schedule", *words) for words in (("install", tiny.file, "--cron"), ("remove",), ("status",))]

    told = " ".join(said.split()) or "crontab -l ended with status 1"
    assert [one.status for one in ran] == [1, 1, 1]
    assert all(one.err.startswith(f"error: the crontab cannot be read: {told}\n") for one in ran)
    assert crontab.read_text() == "0 1 * * * backup\n"


@pytest.mark.parametrize(
    "said", ["no crontab for you", "crontab: can't open 'you': No such file or directory"]
)
def test_where_there_is_no_crontab_one_comes(cli: Cli, tiny: Tiny, crontab: Path, said: str) -> None:
    crontab.with_name("crontab.says").write_text(said)

    assert cli("schedule", "install", tiny.file, "--cron").status == 0
    assert crontab.read_text().startswith("# gonka-state schedule: begin\n")


def test_a_timer_goes_also_where_cron_is_forbidden(
    cli: Cli, crontab: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crontab.with_name("crontab.says").write_text("You (you) are not allowed to use this program (crontab)\n")
    monkeypatch.setattr(systemd, "remove", lambda *_: True)

    ran = cli("schedule", "remove")

    assert (ran.status, ran.out) == (0, "removed\n")
    assert "earlier schedule is unknown: the crontab cannot be read: You (you) are not allowed" in ran.err


def test_other_lines_of_the_crontab_stay_byte_by_byte(cli: Cli, tiny: Tiny, crontab: Path) -> None:
    theirs = b"# caf\xe9 \xe2\x82\xac\r\n0 1 * * * backup\n"
    crontab.write_bytes(theirs)

    statuses = [cli("schedule", "install", tiny.file, "--cron").status, cli("schedule", "status").status]
    held = crontab.read_bytes()

    assert statuses == [0, 0]
    assert held.startswith(theirs + b"# gonka-state schedule: begin\n")
    assert cli("schedule", "remove").out == "removed\n"
    assert crontab.read_bytes() == theirs


def test_a_line_that_cron_refuses_is_told(cli: Cli, tiny: Tiny, crontab: Path, tmp_path: Path) -> None:
    metrics = str(tmp_path / "refused.prom")

    ran = cli("schedule", "install", tiny.file, "--cron", "--prometheus", metrics)

    assert (ran.status, ran.err) == (1, "error: crontab refuses the new line: bad minute\n")
    assert not crontab.exists()
