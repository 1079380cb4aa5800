"""Drift as a mail, as metrics and as test cases."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change, Effect
from gonka_state.core.incident import Origin, Seen
from gonka_state.core.plan import HostLooked, Plan
from gonka_state.views.drift import drift_summary, render_drift
from gonka_state.views.junit import render_junit
from gonka_state.views.prometheus import escape, render_prometheus
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]

NOW = 1_795_600_000.0
ML, NETWORK, OFF = "cluster2-ml-01", "cluster2-network", "cluster2-ml-02"
COMMANDS = [
    "gonka-state converge /opt/gonka-state/desired/cluster2.yaml",
    "gonka-state converge /opt/gonka-state/desired/cluster2.yaml --allow registration",
]


def change(
    host: str, kind: str, name: str, action: Action, *items: AttributeChange, **more: object
) -> Change:
    return replace(Change(Address(host, kind, name), action, items), **more)  # type: ignore[arg-type]  # a change's own words


PLAN = Plan(
    "cluster2",
    lab=False,
    hosts=(
        HostLooked(NETWORK, 1.2, 1),
        HostLooked(ML, 0.9, 1),
        HostLooked(OFF, unknown="no answer from 192.168.1.108 port 22", hint="is the host on?"),
    ),
    changes=(
        change(
            NETWORK, "registration", "gonka1abc", Action.CREATE, effect=Effect.IRREVERSIBLE,
            held="needs --allow registration",
        ),
        change(
            NETWORK, "compose-service", "api", Action.UPDATE, conditional=True, reason="may follow file:/a",
            effect=Effect.DISRUPTIVE,
        ),
        change(NETWORK, "node", "ml-03", Action.UPDATE, maintenance="in maintenance until 2026-12-01: new disks"),
        change(
            ML, "firewall-rule", "5050/tcp", Action.UPDATE, AttributeChange("from", ["any"], ["192.168.1.106"]),
            effect=Effect.DISRUPTIVE, reason="DOCKER-USER lets everybody in before it",
        ),
        change(ML, "file", "/etc/a\x1b[2J", Action.UPDATE, AttributeChange("content", "a\nb\n", "a\nc\n")),
        change(ML, "model", "Qwen/Qwen3-32B-FP8", Action.UNKNOWN, reason="the hub does not answer", hint="ask it"),
        change(OFF, "directory", "/srv/models", Action.UNKNOWN, reason="no answer"),
        change(OFF, "file", "/etc/new", Action.UNKNOWN, reason="no answer"),
    ),
    in_sync=2,
    synced=(Address(ML, "file", "/etc/b"), Address(NETWORK, "file", '/etc/"c"&<d>')),
    missing=("network.public_host waits for $GONKA_PUBLIC_HOST (cluster2.yaml:6)",),
    seconds=1.94,
    addresses={NETWORK: "192.168.1.106", ML: "192.168.1.107", OFF: "192.168.1.108"},
    seen={
        f"{NETWORK}/registration:gonka1abc": Seen(Origin.PENDING, NOW - 300_000),
        f"{ML}/firewall-rule:5050/tcp": Seen(Origin.DRIFT, NOW - 40_000),
        f"{ML}/file:/etc/a\x1b[2J": Seen(Origin.DRIFT, NOW),
        f"{ML}/model:Qwen/Qwen3-32B-FP8": Seen(Origin.UNKNOWN, NOW - 60),
        OFF: Seen(Origin.UNKNOWN, NOW - 7200),
    },
)  # fmt: skip


def test_the_mail_is_as_reviewed(golden: Golden) -> None:
    golden("drift.txt", render_drift(PLAN, COMMANDS, Style(), NOW))
    golden("drift-verbose.txt", render_drift(replace(PLAN, seen={}), [], Style(width=80), NOW, verbose=True))


def test_metrics_and_test_cases_are_as_reviewed(golden: Golden) -> None:
    golden(
        "drift.prom", render_prometheus([PLAN, replace(PLAN, cluster="cluster1", changes=(), hosts=())], NOW)
    )
    golden("drift.xml", render_junit([PLAN], NOW))


def test_without_a_history_nobody_is_said_to_have_moved() -> None:
    summary = drift_summary(replace(PLAN, seen={}))

    assert summary.startswith("Drift: 3 differ, nobody knows since when; 3 unknown; 2 in sync")
    # An alert rule stands on this gauge: it must not call calm what nobody knows.
    assert 'gonka_state_drift{cluster="cluster2"} 3\n' in render_prometheus([replace(PLAN, seen={})], NOW)
    assert drift_summary(replace(PLAN, changes=())).startswith("Drift: nothing differs; ")
    unseen = tuple(change for change in PLAN.changes if change.action is Action.UNKNOWN)
    assert drift_summary(replace(PLAN, changes=unseen)).startswith(
        "Drift: nothing is known to differ; 3 unknown"
    )


@given(st.text())
def test_any_label_survives(value: str) -> None:
    drawn = render_prometheus([replace(PLAN, cluster=value)], NOW).split("\n")[2]
    match = re.fullmatch(r'gonka_state_in_sync\{cluster="((?:[^"\\\n]|\\.)*)"\} 2', drawn)

    assert match is not None
    unescaped = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], match[1])
    assert unescaped == value
    assert escape(value) == match[1]


@given(name=st.text(min_size=1), reason=st.text())
def test_any_text_is_xml(name: str, reason: str) -> None:
    odd = Change(Address(ML, "file", name), Action.UPDATE, reason=reason)

    root = ET.fromstring(render_junit([replace(PLAN, changes=(odd,))], NOW))  # noqa: S314 (our own)

    assert root[0].attrib["failures"] == "1"
    assert len(root[0]) == 3


def test_junit_does_not_hold_whole_files() -> None:
    content = AttributeChange("content", "first\nsecond\n", "first\nthird\n")
    moved = change(ML, "file", "/etc/one", Action.UPDATE, content)

    text = render_junit([replace(PLAN, changes=(moved,))], NOW)

    assert "content differs" in text
    assert "third" not in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_itself_finds_nothing_wrong() -> None:
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=render_prometheus([PLAN], NOW),
        text=True,
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")
