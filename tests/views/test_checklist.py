"""Checklists and host keys as people see them, and the checklist's document."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from gonka_state.core.checklist import Check, Checklist, HostChecks, Verdict
from gonka_state.core.trust import Key, Terms, Trust, decide
from gonka_state.core.trust import Verdict as About
from gonka_state.views.checklist import checklist_document, render_checklist
from gonka_state.views.junit import render_checks
from gonka_state.views.style import Style
from gonka_state.views.trust import render_trust, trust_summary

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKLIST = Checklist(
    "c",
    lab=False,
    hosts=(
        HostChecks(
            "c-ml-01",
            "10.0.0.2",
            (
                Check("connection", Verdict.OK, "ubuntu@10.0.0.2 in 0.4 s"),
                Check("os", Verdict.WARN, "debian 12, wanted: ubuntu 22.04"),
                Check(
                    "docker-service",
                    Verdict.BLOCKED,
                    "stopped, wanted: true",
                    "on the host:\nsystemctl enable --now docker",
                ),
            ),
        ),
        HostChecks(
            "c-ml-02",
            "10.0.0.3",
            (Check("connection", Verdict.UNKNOWN, "is off\x1b", "switch it on"),),
            reached=False,
        ),
    ),
    seconds=1.25,
)
OLD, NEW = (Key("ssh-ed25519", base64.b64encode(text.encode()).decode()) for text in ("old", "new"))
TRUSTS = [
    decide("c-network", "10.0.0.1", [NEW], [], Terms()),
    decide("c-ml-01", "10.0.0.2", [NEW], [NEW], Terms()),
    decide("c-ml-02", "[10.0.0.3]:2222", [NEW], [OLD], Terms()),
    decide("c-ml-03", "10.0.0.4", [NEW], [OLD], Terms(replace=("c-ml-03",))),
    Trust(
        "c-ml-04", "10.0.0.5", About.UNKNOWN, reason="no answer from 10.0.0.5 port 22", hint="is the host on?"
    ),
]


def test_what_is_longer_than_the_terminal_goes_on_below_itself() -> None:
    check = Check(
        "node ml-01",
        Verdict.OK,
        "INFERENCE, as intended; a-model loaded",
        "on the host:\nan order that is long",
    )
    text = render_checklist(
        Checklist("c", lab=False, hosts=(HostChecks("h", "10.0.0.2", (check,)),)), Style(width=50)
    )

    assert text.splitlines()[3:7] == [
        "  ok       node ml-01  INFERENCE, as intended;", "                       a-model loaded",
        "      on the host:", "      an order that is long",
    ]  # fmt: skip


def test_a_checklist(golden: Callable[[str, str], None]) -> None:
    golden("checklist.txt", render_checklist(CHECKLIST, Style()))


def test_quiet_leaves_out_what_is_well() -> None:
    text = render_checklist(CHECKLIST, Style(), quiet=True)

    assert "ok       connection" not in text
    assert "systemctl enable --now docker" in text


def test_its_junit_file(golden: Callable[[str, str], None]) -> None:
    text = render_checks([CHECKLIST], 1_795_600_000.0)

    golden("checklist.xml", text)
    suite = ET.fromstring(text)[0]  # noqa: S314  (our own)
    assert {name: suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "1", "errors": "1", "skipped": "0",
    }  # fmt: skip


def test_its_document_holds_every_line() -> None:
    document = json.loads(checklist_document([CHECKLIST], 3))
    (cluster,) = document["clusters"]

    assert (document["format"], document["version"], document["exit_status"]) == ("gonka-state/check", 1, 3)
    assert cluster["summary"] == {"ok": 1, "warn": 1, "blocked": 1, "unknown": 1}
    assert cluster["hosts"]["c-ml-02"]["reached"] is False
    assert cluster["hosts"]["c-ml-01"]["checks"][2] == {
        "name": "docker-service",
        "verdict": "blocked",
        "evidence": "stopped, wanted: true",
        "hint": "on the host:\nsystemctl enable --now docker",
    }


def test_host_keys(golden: Callable[[str, str], None]) -> None:
    golden("trust.txt", f"{render_trust(TRUSTS, Style())}\n\n{trust_summary(TRUSTS)}")
