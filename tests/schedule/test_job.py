"""How often, by whom, and that what is written means what was asked for: to systemd, to cron, and to a shell."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import GonkaStateError, InputError
from gonka_state.schedule import cron, systemd
from gonka_state.schedule.job import Job, check_every

if TYPE_CHECKING:
    from pathlib import Path

PATHS = ("/usr/bin/env", "drift", '/opt/a b%20$HOME"x/desired')


@pytest.mark.parametrize(
    ("every", "line", "calendar"),
    [
        (60, "* * * * * ", "*:0/1"),
        (300, "*/5 * * * * ", "*:0/5"),
        (3600, "0 * * * * ", "0/1:00"),
        (21600, "0 */6 * * * ", "0/6:00"),
        (86400, "0 0 * * * ", "daily"),
    ],
)
def test_how_often(every: int, line: str, calendar: str, tmp_path: Path) -> None:
    check_every(every, "")
    job = Job(PATHS, every)

    assert cron.line(job, tmp_path / "lock").startswith(line)
    assert f"\nOnCalendar={calendar}\n" in systemd.units(job, system=True)[systemd.TIMER]


@pytest.mark.parametrize("every", [0, 30, 90, 420, 5400, 18000, 172800])
def test_what_divides_neither_an_hour_nor_a_day_is_refused(every: int) -> None:
    with pytest.raises(InputError, match="divides neither an hour nor a day"):
        check_every(every, f"{every}s")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("every", [60, 1800, 43200, 86400])
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path, every: int) -> None:
    for name, text in systemd.units(Job(PATHS, every), system=True).items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    checked = subprocess.run(
        ["systemd-analyze", "verify", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_run_has_a_deadline_and_a_pause_of_chance() -> None:
    units = systemd.units(Job(PATHS, 300), system=False)

    assert "TimeoutStartSec=600\n" in units["gonka-state-drift.service"]
    assert "network-online" not in units["gonka-state-drift.service"]
    assert "RandomizedDelaySec=30\n" in units[systemd.TIMER]


def run_line(line: str) -> str:
    """What cron would do: take the times off, give percent signs back, hand the rest to sh."""
    command = line.split(" ", 5)[5].replace("\\%", "%")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def test_the_line_runs_what_was_asked_for(tmp_path: Path) -> None:
    line = cron.line(Job(("printf", "%s\n", PATHS[2]), 60), tmp_path / "lock")

    assert run_line(line.replace("0-6", "0-0")) == f"{PATHS[2]}\n"


def test_a_run_that_still_goes_on_is_not_run_twice(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    line = cron.line(Job(("echo", "ran"), 60), lock).replace("0-6", "0-0")

    with subprocess.Popen(["flock", str(lock), "sleep", "30"]) as holder:
        while subprocess.run(["flock", "-n", str(lock), "true"], check=False).returncode == 0:
            pass
        assert run_line(line) == ""
        holder.kill()
        subprocess.run(["flock", str(lock), "true"], check=False, timeout=60)


def test_a_run_that_does_not_end_is_ended_and_said(tmp_path: Path) -> None:
    line = cron.line(Job(("sleep", "30"), 60), tmp_path / "lock").replace("0-6", "0-0")

    assert run_line(line.replace("-k 30 600", "-k 1 0.2")) == "drift did not end within 600 s and was ended\n"
    failing = cron.line(Job(("false",), 60), tmp_path / "lock").replace("0-6", "0-0")
    assert run_line(failing) == ""


OTHERS = st.lists(st.sampled_from(["MAILTO=me", "0 1 * * * backup", "# note", ""]), max_size=4).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


@given(crontab=OTHERS, first=st.sampled_from(["a", "b"]))
def test_our_line_comes_goes_and_leaves_the_rest(crontab: str, first: str) -> None:
    with_line = cron.edited(cron.edited(crontab, first), "*/5 * * * * x")

    assert with_line.startswith(crontab)
    assert cron.installed(with_line) == "*/5 * * * * x"
    assert cron.edited(with_line, None) == crontab
    assert cron.installed(crontab) is None


def test_a_last_line_without_an_end_stays_whole() -> None:
    assert cron.edited("0 1 * * * backup", "x").startswith("0 1 * * * backup\n# gonka-state")


def test_when_it_runs_next() -> None:
    assert cron.next_run("*/5 * * * * x", 1_795_600_000) == "2026-11-25 09:50 UTC"
    assert cron.next_run("* * * * * x", 1_795_600_000) == "2026-11-25 09:47 UTC"
    assert cron.next_run("0 */6 * * * x", 0) == "at 0 */6 * * *, in cron's time"


def test_units_are_written_started_and_taken_away(tmp_path: Path) -> None:
    said: list[tuple[str, ...]] = []

    def call(*words: str) -> str:
        said.append(words)
        return "ActiveState=active\nLastTriggerUSec=n/a\nNextElapseUSecRealtime=Wed 2026-11-25 09:50:00 UTC\n"

    where = tmp_path / "systemd" / "user"
    assert systemd.status(where, call) is None
    assert not systemd.remove(where, call)

    systemd.install(Job(("/usr/bin/env", "drift", "/opt"), 300), where, call)
    assert systemd.status(where, call) == {
        "by": f"systemd timer {where / systemd.TIMER}",
        "runs": "/usr/bin/env drift /opt",
        "state": "active",
        "last": "never",
        "next": "Wed 2026-11-25 09:50:00 UTC",
    }
    assert systemd.remove(where, call)
    assert list(where.iterdir()) == []
    assert [words[:2] for words in said] == [
        ("daemon-reload",),
        ("daemon-reload",),
        ("enable", "--now"),
        ("show", systemd.TIMER),
        ("disable", "--now"),
        ("daemon-reload",),
    ]


def test_where_systemd_refuses_nothing_stays(tmp_path: Path) -> None:
    def call(*words: str) -> str:
        if words[0] == "enable":
            raise GonkaStateError("no")
        return ""

    with pytest.raises(GonkaStateError, match="no"):
        systemd.install(Job(PATHS, 300), tmp_path, call)
    assert list(tmp_path.iterdir()) == []
