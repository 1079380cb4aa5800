"""Converge on hosts of paper: what runs, what is skipped, and that only the second look is believed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.core.report import ExitStatus, Report, Status, report_status

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.core.report import Outcome
    from tests.engine.conftest import Paper


def outcomes(report: Report) -> dict[str, Outcome]:
    return {str(outcome.change.address): outcome for outcome in report.outcomes}


def statuses(report: Report) -> dict[str, Status]:
    return {address: outcome.status for address, outcome in outcomes(report).items()}


def test_the_gap_is_closed_seen_to_be_closed_and_then_nothing_runs(paper: Paper) -> None:
    paper.note("network", "a", "one")
    paper.note("ml-01", "b", "it's two\nlines")
    paper.has("ml-01", b="old", stray="x")

    first = paper.converge()
    second = paper.converge()

    assert statuses(first) == {"network/note:a": Status.CHANGED, "ml-01/note:b": Status.CHANGED}
    assert (paper.read("network", "a"), paper.read("ml-01", "b")) == ("one", "it's two\nlines")
    assert report_status(first) is ExitStatus.OK
    assert second.outcomes == ()
    assert report_status(second) is ExitStatus.OK
    assert paper.read("ml-01", "stray") == "x"


def test_a_lane_that_breaks_takes_no_other_along_and_keeps_nobody_waiting(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.note("network", "a")
    paper.note("network", "b")
    paper.note("ml-01", "c", "nap")
    paper.note("ml-01", "d", needs=("network/note:b",))
    broken = OSError("no way to tell")
    said = paper.events

    def event(where: str, text: str) -> None:
        if where == "network/note:a":
            raise broken
        said.append((where, text))

    monkeypatch.setattr(paper, "_event", event)
    with pytest.raises(OSError, match="no way to tell"):
        paper.converge()

    assert paper.read("ml-01", "c") == "nap"
    assert paper.log("network") == []
    assert paper.read("ml-01", "d") is None


def test_one_look_then_one_exec_per_step_and_one_look_per_touched_host(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("network", "b")
    paper.note("ml-01", "c", "there")
    paper.has("ml-01", c="there")

    paper.converge()

    assert paper.execs == {"network": 1 + 2 + 1, "ml-01": 1}


def test_needs_come_first_also_across_hosts(paper: Paper) -> None:
    paper.note("network", "last", needs=("ml-01/note:middle",))
    paper.note("ml-01", "middle", needs=("network/note:zfirst",))
    paper.note("network", "zfirst")

    report = paper.converge()

    assert [str(outcome.change.address) for outcome in report.outcomes] == [
        "network/note:zfirst",
        "ml-01/note:middle",
        "network/note:last",
    ]
    assert paper.log("network") == ["zfirst", "last"]


def test_what_failed_stops_what_needs_it_and_nothing_else(paper: Paper) -> None:
    paper.note("network", "bad", "fail")
    paper.note("network", "after", needs=("note:bad",))
    paper.note("ml-01", "far", needs=("network/note:after",))
    paper.note("network", "other")
    paper.note("ml-01", "other")

    report = paper.converge()
    found = outcomes(report)

    assert statuses(report) == {
        "network/note:bad": Status.FAILED,
        "network/note:after": Status.SKIPPED,
        "ml-01/note:far": Status.SKIPPED,
        "network/note:other": Status.CHANGED,
        "ml-01/note:other": Status.CHANGED,
    }
    assert found["network/note:bad"].detail == "write: no ink"
    assert found["network/note:after"].detail == "needs network/note:bad, which did not succeed"
    assert found["ml-01/note:far"].detail == "needs network/note:after, which did not succeed"
    assert report_status(report) is ExitStatus.FAILED


def test_a_step_that_says_it_worked_is_not_believed(paper: Paper) -> None:
    paper.note("network", "a", "lie")
    paper.has("network", a="old")

    report = paper.converge()

    outcome = outcomes(report)["network/note:a"]
    assert (outcome.status, outcome.detail) == (Status.FAILED, "applied, but still differs: text")
    assert report_status(report) is ExitStatus.FAILED


def test_what_is_still_not_there_afterwards_says_why(paper: Paper) -> None:
    paper.note("network", "a", "lie")

    outcome = outcomes(paper.converge())["network/note:a"]

    assert outcome.detail == "applied, but still differs: create. nobody wrote it"


def test_what_needs_a_step_that_lied_runs_and_is_judged_by_itself(paper: Paper) -> None:
    paper.note("network", "a", "lie")
    paper.note("network", "b", needs=("note:a",))

    assert statuses(paper.converge()) == {"network/note:a": Status.FAILED, "network/note:b": Status.CHANGED}


def test_a_step_that_failed_although_its_effect_is_there_has_changed_something(paper: Paper) -> None:
    paper.note("network", "a", "fail but there")

    report = paper.converge(between=lambda: paper.has("network", a="fail but there"))

    outcome = outcomes(report)["network/note:a"]
    assert (outcome.status, outcome.detail) == (Status.CHANGED, "it said: write: no ink")
    assert report_status(report) is ExitStatus.OK


def test_a_step_that_takes_too_long_is_stopped(paper: Paper) -> None:
    paper.note("network", "a", "slow")

    assert "not finished within 1 s" in outcomes(paper.converge())["network/note:a"].detail


def test_a_bug_in_one_operation_stops_neither_the_host_nor_the_others(paper: Paper) -> None:
    paper.note("network", "a", "bug")
    paper.note("network", "b")

    report = paper.converge()

    assert statuses(report) == {"network/note:a": Status.FAILED, "network/note:b": Status.CHANGED}
    assert "a bug in gonka-state: ZeroDivisionError" in outcomes(report)["network/note:a"].detail


def test_what_is_made_from_a_note_follows_it_in_the_same_run(paper: Paper) -> None:
    paper.note("network", "a", "new")
    copy = paper.copy("network", "c", of="a")
    paper.has("network", **{"a": "old", "copy-c": "old"})

    plan = paper.look().plan
    report = paper.converge()

    assert [change.address for change in plan.changes if change.conditional] == [copy]
    assert statuses(report) == {"network/note:a": Status.CHANGED, "network/copy:c": Status.CHANGED}
    assert paper.read("network", "copy-c") == "new"


def test_what_turns_out_to_be_in_sync_after_all_does_not_run(paper: Paper) -> None:
    paper.note("network", "a", "new")
    paper.copy("network", "c", of="a")
    paper.has("network", **{"a": "old", "copy-c": "old"})

    # Somebody else was faster: after the note's step the copy is already the same.
    report = paper.converge(between=lambda: paper.has("network", **{"copy-c": "new"}))

    assert statuses(report) == {"network/note:a": Status.CHANGED}
    assert report_status(report) is ExitStatus.OK


def test_nothing_follows_a_step_that_failed(paper: Paper) -> None:
    paper.note("network", "a", "fail")
    paper.copy("network", "c", of="a")
    paper.has("network", **{"a": "old", "copy-c": "old"})

    assert statuses(paper.converge()) == {"network/note:a": Status.FAILED}


def test_what_a_step_makes_known_is_closed_in_the_same_run(paper: Paper) -> None:
    paper.note("network", "api")
    paper.reply("network", "r")

    report = paper.converge()

    assert statuses(report) == {"network/note:api": Status.CHANGED, "network/reply:r": Status.CHANGED}
    assert paper.read("network", "reply-r") == "hello"


def test_a_chain_of_what_follows_is_looked_at_once_per_round(paper: Paper) -> None:
    paper.note("network", "api")
    paper.reply("network", "r")
    paper.copy("network", "c", of="api")
    paper.has("network", **{"copy-c": ""})

    report = paper.converge()

    assert set(statuses(report).values()) == {Status.CHANGED}
    assert paper.execs["network"] <= 1 + len(report.outcomes) + 2


def test_nothing_runs_that_the_first_plan_did_not_name(paper: Paper) -> None:
    paper.note("network", "a", "new")
    paper.note("network", "b", "fine")
    paper.has("network", a="old", b="fine")

    report = paper.converge(between=lambda: paper.has("network", b="somebody else's"))

    assert statuses(report) == {"network/note:a": Status.CHANGED}
    assert paper.read("network", "b") == "somebody else's"
    assert report_status(report) is ExitStatus.PENDING


def test_a_host_that_is_off_is_unknown_and_the_others_are_done(paper: Paper) -> None:
    paper.off = ("ml-01",)
    paper.note("network", "a")
    paper.note("network", "b", needs=("ml-01/note:c",))
    paper.note("ml-01", "c")

    report = paper.converge()

    assert statuses(report) == {"network/note:a": Status.CHANGED}
    assert report_status(report) is ExitStatus.PARTIAL
    assert [(looked.host, looked.unknown, looked.hint) for looked in report.plan.hosts if looked.unknown] == [
        ("ml-01", "is off", "switch it on")
    ]
    assert "ml-01" not in paper.execs


def test_a_connection_lost_in_a_step_is_judged_by_the_next_look(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("ml-01", "b")
    paper.drop["network"] = lambda number: number == 2

    report = paper.converge()

    # The step had done its work before the connection broke.
    assert statuses(report) == {"network/note:a": Status.CHANGED, "ml-01/note:b": Status.CHANGED}
    assert "connection was lost" in outcomes(report)["network/note:a"].detail
    assert paper.log("network") == ["a"], "a write is never repeated blindly"


def test_a_host_that_cannot_be_seen_again_is_not_called_changed(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("network", "b", "fail")
    paper.drop["network"] = lambda number: number >= 4

    report = paper.converge()
    found = outcomes(report)

    assert found["network/note:a"].status is Status.UNSURE
    assert "could not be seen again: the connection was lost" in found["network/note:a"].detail
    assert found["network/note:b"].status is Status.FAILED
    assert report_status(report) is ExitStatus.FAILED


def test_removal_waits_for_its_consent(paper: Paper) -> None:
    from gonka_state.core.change import Effect  # noqa: PLC0415 (only here)

    paper.note("network", "a", state="absent", effect_of=Effect.DESTRUCTIVE)
    paper.has("network", a="text")

    refused = paper.converge()
    allowed = paper.converge(allowed=("destructive",))

    assert refused.outcomes == ()
    assert report_status(refused) is ExitStatus.REFUSED
    assert statuses(allowed) == {"network/note:a": Status.CHANGED}
    assert paper.read("network", "a") is None


def test_an_unmet_requirement_holds_the_kinds_that_need_it_only(paper: Paper) -> None:
    paper.requirement("network", "cores", "8", blocks=("copy",))
    paper.note("network", "a")
    paper.copy("network", "c", of="a")
    paper.has("network", cores="4")

    report = paper.converge()

    assert statuses(report) == {"network/note:a": Status.CHANGED}
    assert report_status(report) is ExitStatus.REFUSED
    held = {str(change.address): change.held for change in report.after.pending}
    assert held["network/copy:c"] == "waits for network/requirement:cores, which only a human closes"


def test_a_kind_that_refuses_is_obeyed(paper: Paper) -> None:
    paper.note("network", "a")
    paper.has("network", locked="10.77.0.254")

    report = paper.converge()

    assert report.outcomes == ()
    assert [change.held for change in report.plan.pending] == ["10.77.0.254 locked it"]
    assert report_status(report) is ExitStatus.REFUSED


def test_lines_appear_while_it_works(paper: Paper) -> None:
    paper.note("network", "a")
    paper.note("network", "b", "fail")

    paper.converge()

    said = [text for where, text in paper.events if where == "network/note:a"]
    assert said[:2] == ["create …", "writing"]
    assert said[2].startswith("done, ")
    assert [text for where, text in paper.events if where == "network/note:b"][-1].startswith("failed, ")


@pytest.mark.parametrize("size", [1, 7])
def test_steps_of_one_host_run_in_order_and_each_once(paper: Paper, size: int) -> None:
    names = [f"n{number}" for number in range(size)]
    for number, name in enumerate(names):
        paper.note("network", name, needs=(f"note:{names[number - 1]}",) if number else ())

    report = paper.converge()

    assert paper.log("network") == names
    assert set(statuses(report).values()) == {Status.CHANGED}
    assert paper.execs["network"] == 2 + size


def test_hosts_work_at_the_same_time(paper: Paper) -> None:
    paper.note("network", "a", "nap")
    paper.note("ml-01", "b", "nap")

    paper.converge()

    steps = [text for where, text in paper.events if "/" in where and text != "writing"]
    assert [text.partition(",")[0] for text in steps] == ["create …", "create …", "done", "done"]


def test_steps_that_were_never_reached_name_what_stopped_them(paper: Paper) -> None:
    paper.note("network", "api", "fail")
    paper.reply("network", "r")
    paper.note("network", "after", needs=("reply:r",))

    found = outcomes(paper.converge())

    assert found["network/note:after"].status is Status.SKIPPED
    assert found["network/note:after"].detail == "needs network/note:api, which did not succeed"


def test_rounds_are_bounded_and_the_next_run_goes_on(paper: Paper) -> None:
    """Each note needs a copy of the one before, which is known to differ only once that one is written."""
    for number in range(7):
        paper.note("network", f"n{number}", "new", needs=(f"copy:c{number - 1}",) if number else ())
        paper.copy("network", f"c{number}", of=f"n{number}")
        paper.has("network", **{f"n{number}": "old", f"copy-c{number}": "old"})

    first = paper.converge()
    steps = [outcome for outcome in first.outcomes if outcome.status is Status.CHANGED]
    skipped = [outcome for outcome in first.outcomes if outcome.status is Status.SKIPPED]
    looks = paper.execs["network"] - len(steps)
    second = paper.converge()

    assert looks == 1 + 6
    assert skipped[0].detail == "what it waits for did not settle"
    assert report_status(first) is ExitStatus.PENDING
    assert report_status(second) is ExitStatus.OK
    assert {paper.read("network", f"copy-c{number}") for number in range(7)} == {"new"}


@pytest.mark.parametrize(("retries", "status"), [(0, Status.FAILED), (1, Status.CHANGED)])
def test_only_what_says_so_is_tried_again(paper: Paper, retries: int, status: Status) -> None:
    paper.run = replace(paper.run, retries=retries)
    paper.note("network", "a", "flaky")
    paper.note("network", "b", "fail")

    report = paper.converge()

    assert statuses(report) == {"network/note:a": status, "network/note:b": Status.FAILED}
    assert paper.execs["network"] == 1 + (1 + 2 * retries) + 1 + 1


def test_an_operation_of_pyinfras_own_runs_at_once_and_fails_in_words(paper: Paper, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    paper.note("network", "a", f"call {tmp_path / 'made'}")
    paper.note("network", "b", f"call {tmp_path / 'file' / 'below'}")
    paper.note("network", "c")

    report = paper.converge()
    found = outcomes(report)

    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o750
    assert found["network/note:a"].detail.startswith("applied, but still differs")
    assert found["network/note:b"].detail.startswith("make a directory failed: ")
    assert "Not a directory" in found["network/note:b"].detail
    assert found["network/note:c"].status is Status.CHANGED


def test_a_removal_in_two_steps_is_done_one_step_at_a_time(paper: Paper) -> None:
    paper.has("network", n="busy")
    address = paper.note("network", "n", state="absent")

    report = paper.converge()

    (outcome,) = report.outcomes
    assert (outcome.change.action, outcome.status) == (Action.UPDATE, Status.CHANGED)
    assert outcome.detail == "its removal comes next"
    assert paper.read("network", "n") == "idle"
    assert [(change.address, change.action) for change in report.after.pending] == [(address, Action.DELETE)]

    paper.converge()

    assert paper.read("network", "n") is None


def test_what_goes_after_a_removal_in_two_steps_waits_for_the_second(paper: Paper) -> None:
    paper.has("network", n="busy", under="x")
    paper.note("network", "n", state="absent", needs=["note:under"])
    under = paper.note("network", "under", state="absent")

    report = paper.converge()

    assert [change.address for change in report.after.pending][-1] == under
    assert (paper.read("network", "n"), paper.read("network", "under")) == ("idle", "x")

    paper.converge()

    assert (paper.read("network", "n"), paper.read("network", "under")) == (None, None)


@pytest.mark.parametrize(("first", "looks"), [((), 2), (("note",), 3)])
def test_kinds_that_come_first_are_looked_at_again_before_the_others(
    paper: Paper, first: tuple[str, ...], looks: int
) -> None:
    paper.has("network", b="x")
    paper.note("network", "a")
    paper.copy("network", "c", of="b")

    report = paper.converge(first=first)

    assert [outcome.status for outcome in report.outcomes] == [Status.CHANGED] * 2
    assert sum(text.startswith("looked") for host, text in paper.events if host == "network") == looks


@pytest.mark.parametrize(
    ("there", "off", "done", "status"),
    [
        ("text", (), ["node"], ExitStatus.OK),
        ("other", (), [], ExitStatus.PENDING),
        ("text", ("ml-01",), [], ExitStatus.PARTIAL),
    ],
)
def test_a_selection_goes_on_only_where_what_it_needs_elsewhere_is_in_place(
    paper: Paper, there: str, off: tuple[str, ...], done: list[str], status: ExitStatus
) -> None:
    """One exec more for the host it is on, and none for any other."""
    paper.hosts, paper.off = ("network", "ml-01", "ml-02"), off
    paper.note("ml-01", "served")
    paper.note("ml-02", "other")
    node = paper.note("network", "node", needs=("ml-01/note:served",))
    paper.has("ml-01", served=there)

    report = paper.converge(selected={node})

    assert paper.log("network") == done
    assert report_status(report) is status
    assert paper.execs == {"network": 1 + 2 * len(done)} | ({} if off else {"ml-01": 1})


@dataclass
class Lock:
    """A cluster's lock that is lost after it was asked for so often."""

    left: int
    stopped: str = ""

    def lost(self) -> str:
        """Why no step may start."""
        self.left -= 1
        self.stopped = self.stopped or ("somebody took it" if self.left < 0 else "")
        return self.stopped


@pytest.mark.parametrize(
    ("asked", "done", "said", "status"),
    [
        (0, [], {"somebody took it"}, ExitStatus.REFUSED),
        (2, ["a"], {"", "somebody took it"}, ExitStatus.FAILED),
        (20, ["a", "b", "c", "d"], {""}, ExitStatus.OK),
    ],
)
def test_without_the_lock_no_further_step_is_started(
    paper: Paper, asked: int, done: list[str], said: set[str], status: ExitStatus
) -> None:
    paper.note("network", "a")
    paper.note("network", "b")
    paper.note("network", "c", needs=("note:b",))
    paper.copy("network", "k", of="b")
    paper.note("network", "d", needs=("copy:k",))
    paper.has("network", **{"b": "old", "copy-k": "old"})

    report = paper.converge(lock=Lock(asked))

    assert paper.log("network") == done
    assert len(report.outcomes) >= 4
    assert {outcome.detail for outcome in report.outcomes} == said
    assert report_status(report) is status


def test_a_step_that_has_begun_writes_nothing_more_without_the_lock(paper: Paper) -> None:
    paper.note("network", "a")

    report = paper.converge(lock=Lock(1))
    (outcome,) = report.outcomes

    assert (outcome.status, outcome.detail) == (Status.FAILED, "stopped half-way: somebody took it")
    assert paper.log("network") == []
    assert report_status(report) is ExitStatus.FAILED
