"""The history as people and programs read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.change import AttributeChange
from gonka_state.core.history import Flap, Run, Step, Verdict
from gonka_state.core.incident import Finding, Incident, Origin
from gonka_state.core.overview import Detail, Overview
from gonka_state.views.history import render_detail, render_overview
from gonka_state.views.history_json import detail_document, overview_document
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]

NOW = 1_795_600_000.0
RULE, OFF = "cluster2-ml-01/firewall-rule:5050/tcp", "cluster2-ml-05"
CONVERGE = Run(
    4711, "converge", NOW - 7200, 94.04, 5, whole=True, in_sync=320, pending=2, unknown=0,
    steps=(
        Step(RULE, "update", "safe", "changed", 0.21),
        Step("cluster2-ml-02/compose-service:mlnode-308", "update", "disruptive", "failed", 61.0, "exit status 1\nno such image"),
    ),
)  # fmt: skip
LAST = Run(4720, "drift", NOW - 120, 1.9, 3, whole=True, in_sync=265, pending=3, unknown=58)
OPEN = (
    Incident(
        Finding(RULE, False, "update", "disruptive", (AttributeChange("from", ["any"], ["192.168.1.106"]),), "DOCKER-USER"),  # noqa: FBT003 (a value's field)
        Origin.DRIFT, NOW - 40_000, NOW - 120,
    ),
    Incident(
        Finding("cluster2-ml-02/file:/etc/a", False, "update", "safe", (AttributeChange("content", "a\nb\n", "a\nc\n"),)),  # noqa: FBT003 (a value's field)
        Origin.PENDING, NOW - 300_000, NOW - 120, NOW - 60,
    ),
    Incident(Finding(OFF, True, reason="no answer \x1b[2J from 192.168.1.111"), Origin.UNKNOWN, NOW - 900_000, NOW),  # noqa: FBT003 (a value's field)
)  # fmt: skip
WEEK = Overview(
    "cluster2", False, NOW - 7 * 86400, NOW,  # noqa: FBT003 (a value's field)
    {Verdict.IN_SYNC: 0.99976, Verdict.DIFFERS: 0.0001, Verdict.UNKNOWN: 0.00014},
    2016, LAST, OPEN, (CONVERGE,), (Flap(OFF, 4, NOW - 500),),
)  # fmt: skip
EMPTY = Overview("cluster1", True, NOW - 60, NOW, dict.fromkeys(Verdict, 0.0), 0, None, (), (), ())  # noqa: FBT003 (a value's field)


def test_the_overview_is_as_reviewed(golden: Golden) -> None:
    golden("history.txt", render_overview([WEEK, EMPTY], Style()))
    golden("history.json", overview_document([WEEK, EMPTY]))


def test_one_run_is_as_reviewed(golden: Golden) -> None:
    one = Detail("cluster2", False, CONVERGE, OPEN)  # noqa: FBT003 (a value's field)

    golden("run.txt", render_detail(one, Style()))
    golden("run.json", detail_document(one))


def test_a_run_of_a_part_says_so() -> None:
    one = Detail("cluster2", False, replace(CONVERGE, whole=False), ())  # noqa: FBT003 (a value's field)

    assert "only a part of the cluster was selected" in render_detail(one, Style())


def test_what_hosts_say_steers_no_terminal_and_no_percent_is_rounded_up_to_all() -> None:
    drawn = render_overview([WEEK], Style()) + render_detail(Detail("c", False, LAST, OPEN), Style())  # noqa: FBT003 (a value's field)

    assert "\x1b" not in drawn
    assert "in sync 99.9 %, differs 0.1 %" in drawn
