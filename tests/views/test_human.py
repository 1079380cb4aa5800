"""What people read, as golden texts: `pytest tests/views --update-golden` rewrites them, git diff reviews them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change, Effect
from gonka_state.core.observation import Note, Unmanaged
from gonka_state.core.plan import HostLooked, Plan
from gonka_state.core.report import Outcome, Report, Status
from gonka_state.views.changes import show
from gonka_state.views.human import render_plan, render_problems, render_report, report_summary, summary
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]

NETWORK, ML, OFF = "cluster2-network", "cluster2-ml-01", "cluster2-ml-02"


def change(
    host: str, kind: str, name: str, action: Action, *attributes: AttributeChange, **more: object
) -> Change:
    return replace(Change(Address(host, kind, name), action, attributes), **more)  # type: ignore[arg-type]  # a change's own words


BY_HAND = "in maintenance until 2026-12-01: new disks"

CHANGES = (
    change(NETWORK, "requirement", "gpus", Action.UPDATE, AttributeChange("gpus", "7", "8"), human=True),
    change(
        NETWORK, "requirement", "os", Action.UPDATE, AttributeChange("os", "debian 12", "ubuntu 22.04"),
        human=True, warning=True,
    ),
    change(
        NETWORK, "file", "/opt/gonka/deploy/join/config.env", Action.UPDATE,
        AttributeChange(
            "content",
            "# head\nKEYRING_PASSWORD <secret 0123456789abcdef>\n--- a line with dashes\nPORT=1\r\nsame\n",
            "# head\nKEYRING_PASSWORD <secret fedcba9876543210>\nPORT=1\nsame\n",
        ),
        AttributeChange("mode", "0644", "0600"),
    ),
    change(
        NETWORK, "compose-service", "/opt/gonka/deploy/join/api", Action.UPDATE,
        effect=Effect.DISRUPTIVE, conditional=True, reason="may follow file:/opt/gonka/deploy/join/config.env",
    ),
    change(
        NETWORK, "node", "ml-02", Action.UPDATE,
        AttributeChange("models.Qwen/Qwen3-32B-FP8.args", [], ["--max-model-len", "240000"]),
        effect=Effect.DISRUPTIVE, held="waits for cluster2-ml-02/compose-service:/opt/x/mlnode, which is unknown",
    ),
    change(
        NETWORK, "node", "old", Action.DELETE, effect=Effect.DESTRUCTIVE, held="needs --allow destructive",
        hint="run: gonka-state converge --allow destructive",
    ),
    change(
        ML, "firewall-rule", "5050/tcp", Action.UPDATE, AttributeChange("from", ["any"], ["192.168.1.106"]),
        effect=Effect.DISRUPTIVE, reason="DOCKER-USER lets everybody in before it",
    ),
    change(ML, "container-port", "9090/tcp", Action.UPDATE, AttributeChange("from", ["any"], [])),
    change(ML, "model", "Qwen/Qwen3-32B-FP8", Action.CREATE, reason="33.1 GB to fetch"),
    change(ML, "file", "/etc/new", Action.CREATE),
    change(ML, "directory", "/srv/models", Action.UNKNOWN, reason="/srv/models is a file, not a directory", hint="move it away by hand"),
    change(ML, "sysctl", "vm.max_map_count", Action.UPDATE, AttributeChange("value", None, after=True), AttributeChange("note", "", {"a": 1})),
    change(OFF, "directory", "/srv/models", Action.UNKNOWN, reason="no answer"),
    change(OFF, "file", "/etc/new", Action.UNKNOWN, reason="no answer"),
    change(NETWORK, "node", "ml-03", Action.UPDATE, AttributeChange("enabled", before=False, after=True), maintenance=BY_HAND),
)  # fmt: skip
PLAN = Plan(
    cluster="cluster2",
    lab=False,
    hosts=(
        HostLooked(NETWORK, 1.2, 1),
        HostLooked(ML, 0.9, 1),
        HostLooked(OFF, unknown="no answer from 192.168.1.108 port 22", hint="is the host on?"),
    ),
    changes=CHANGES,
    in_sync=41,
    unmanaged=(
        Unmanaged(ML, "compose-service", "stray", "alpine:3, running"),
        Unmanaged(NETWORK, "node", "extra"),
    ),
    notes=(
        Note(NETWORK, "node", "API", "http://203.0.113.12:8000; the RPC of its chain node is not public"),
        Note(
            NETWORK, "node", "cluster2-ml-01", "a/b loaded, 615.7 GB of 684.2 GB used on 8 GPUs", {"gpus": 8}
        ),
    ),
    missing=("network.public_host waits for $GONKA_PUBLIC_HOST_CLUSTER2 (cluster2.yaml:6)",),
    seconds=1.94,
    addresses={NETWORK: "192.168.1.106", ML: "192.168.1.107", OFF: "192.168.1.108"},
)
IN_SYNC = replace(
    PLAN,
    lab=True,
    hosts=PLAN.hosts[:2],
    changes=(),
    unmanaged=(),
    missing=(),
    addresses={NETWORK: "10.77.0.11"},
)
REPORT = Report(
    plan=PLAN,
    outcomes=(
        Outcome(CHANGES[2], Status.CHANGED, 0.4),
        Outcome(CHANGES[3], Status.CHANGED, 12.25, detail="it said: exit status 1"),
        Outcome(
            CHANGES[6],
            Status.FAILED,
            3.0,
            detail="ufw: no such chain\nufw: stopped",
            hint="ufw status says more",
        ),
        Outcome(
            CHANGES[8],
            Status.SKIPPED,
            detail="needs cluster2-ml-01/directory:/srv/models, which did not succeed",
        ),
        Outcome(CHANGES[9], Status.UNSURE, 1.0, detail="applied, but it could not be seen again: no answer"),
    ),
    after=replace(PLAN, changes=(CHANGES[0], CHANGES[1], CHANGES[5], CHANGES[6], *CHANGES[12:])),
    seconds=20.04,
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("plan-pipe.txt", render_plan(PLAN, Style())),
        ("plan-80.txt", render_plan(PLAN, Style(width=80), unmanaged=True)),
        ("plan-120-verbose.txt", render_plan(PLAN, Style(width=120), verbose=True)),
        ("plan-in-sync.txt", render_plan(IN_SYNC, Style(width=80), unmanaged=True)),
        ("report.txt", render_report(REPORT, Style())),
        ("report-in-sync.txt", render_report(Report(IN_SYNC, (), IN_SYNC, 0.5), Style())),
        ("problems.txt", render_problems(["a.yaml:1:2: one", "a.yaml:3:4: two"], Style())),
    ],
)
def test_it_reads_as_reviewed(golden: Golden, name: str, text: str) -> None:
    golden(name, text)


COLOR = re.compile(r"\x1b\[[0-9]+m")


@pytest.mark.parametrize("width", [None, 80, 120])
def test_colour_adds_nothing_but_colour(width: int | None) -> None:
    for colored, plain in (
        (
            render_plan(PLAN, Style(color=True, width=width), unmanaged=True),
            render_plan(PLAN, Style(width=width), unmanaged=True),
        ),
        (render_report(REPORT, Style(color=True, width=width)), render_report(REPORT, Style(width=width))),
    ):
        assert COLOR.search(colored)
        stripped = [line.rstrip() for line in COLOR.sub("", colored).split("\n")]
        assert stripped == [line.rstrip() for line in plain.split("\n")]


def test_the_summary_is_the_last_line_always() -> None:
    assert render_plan(PLAN, Style(), unmanaged=True).split("\n")[-1] == summary(PLAN)
    assert render_plan(IN_SYNC, Style()).split("\n")[-1] == summary(IN_SYNC)
    assert render_report(REPORT, Style()).split("\n")[-1] == report_summary(REPORT)


def test_every_change_is_shown_under_its_host() -> None:
    text = render_plan(PLAN, Style())

    for item in CHANGES[:12]:
        assert item.address.local in text
    assert text.index(NETWORK + "\n") < text.index(ML + "\n") < text.index(OFF + "\n")


def test_a_difference_of_line_ends_is_shown(golden: Golden) -> None:
    item = change(ML, "file", "/a", Action.UPDATE, AttributeChange("content", "a\r\nb\n", "a\nb\n"))

    golden("line-ends.txt", render_plan(replace(PLAN, changes=(item,)), Style()))


@given(st.text())
def test_nothing_a_host_says_steers_the_terminal(text: str) -> None:
    hostile = f"\x1b[2J{text}\x07"
    item = change(
        ML, "file", f"/{hostile}", Action.UPDATE,
        AttributeChange("content", f"{hostile}\n", "a\n"), AttributeChange("mode", hostile, "b"),
        reason=hostile, hint=hostile, held=hostile,
    )  # fmt: skip
    plan = replace(
        PLAN,
        hosts=(HostLooked(ML), HostLooked(OFF, unknown=hostile, hint=hostile)),
        changes=(item,),
        unmanaged=(Unmanaged(ML, "container", hostile, hostile),),
    )
    report = Report(plan, (Outcome(item, Status.FAILED, detail=hostile, hint=hostile),), plan)

    for shown in (render_plan(plan, Style(), unmanaged=True), render_report(report, Style())):
        assert all(char.isprintable() or char in "\n\t" for char in shown)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "unset"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("text", "text"),
        ("", '""'),
        ([], "none"),
        (["a", "b"], "a, b"),
        ([1, "a"], '[1, "a"]'),
        ({"b": 1, "a": []}, '{"a": [], "b": 1}'),
    ],
)
def test_a_value_is_shown_in_one_line(value: object, text: str) -> None:
    assert show(value) == text


@pytest.mark.parametrize(
    ("plan", "left"),
    [
        (IN_SYNC, "in sync"),
        (replace(IN_SYNC, changes=CHANGES[10:11]), "1 unknown"),
        (replace(IN_SYNC, changes=CHANGES[8:11]), "2 left"),
    ],
)
def test_a_report_ends_with_what_is_left(plan: Plan, left: str) -> None:
    assert report_summary(Report(IN_SYNC, (), plan, 1.0)) == f"Converge: 0 changed; {left} (1.0 s)"


def test_a_verbose_diff_shows_the_whole_file() -> None:
    lines = "\n".join(f"line {number}" for number in range(30))
    item = change(
        ML, "file", "/a", Action.UPDATE, AttributeChange("content", f"{lines}\nold\n", f"{lines}\nnew\n")
    )
    plan = replace(PLAN, changes=(item,))

    assert "line 0" in render_plan(plan, Style(), verbose=True)
    assert "line 0" not in render_plan(plan, Style())
    assert "line 29" in render_plan(plan, Style())
