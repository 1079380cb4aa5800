"""A diagnosis as people see it, and its document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.core.diagnosis import Diagnosis, HostDiagnosis, Line, clear, diagnosis_status, found, unknown
from gonka_state.core.report import ExitStatus
from gonka_state.views.diagnosis import diagnosis_document, render_diagnosis
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable

WELL = Line("disk space", "df", "Databases break when they cannot write.", clear("/ 40%"))
HURTS = Line(
    "old data backups",
    "data-backup-*",
    "Each upgrade copies the data and keeps the copy.",
    found("/d/data-backup-1\x1b, 150.0 GB, 33 d old", "on this host:\nrm -r /d/data-backup-1"),
)
DARK = Line(
    "jailed", "the chain", "It signs too little.", unknown("the chain node does not say: it answers 500")
)


def diagnosis(*lines: Line, reached: bool = True) -> Diagnosis:
    hosts = (
        HostDiagnosis("c-network", "10.0.0.1", lines, reached),
        HostDiagnosis("c-ml-01", "10.0.0.2", (WELL,)),
    )
    return Diagnosis("c", lab=False, hosts=hosts, seconds=2.25)


def test_what_hurts(golden: Callable[[str, str], None]) -> None:
    golden("doctor.txt", render_diagnosis(diagnosis(HURTS, DARK, WELL), Style()))


def test_what_was_looked_for_in_vain(golden: Callable[[str, str], None]) -> None:
    golden("doctor-verbose.txt", render_diagnosis(diagnosis(HURTS, DARK, WELL), Style(), every=True))


def test_what_is_longer_than_the_terminal_goes_on_below_itself() -> None:
    lines = render_diagnosis(diagnosis(HURTS), Style(width=50)).splitlines()

    assert lines[3:8] == [
        "  found    old data backups  /d/data-backup-1\\x1b,", "                             150.0 GB, 33 d old",
        "      Each upgrade copies the data and keeps the", "      copy.", "      on this host:",
    ]  # fmt: skip


def test_nothing_known_hurts() -> None:
    text = render_diagnosis(diagnosis(WELL), Style())

    assert text.splitlines() == [
        "c · PRODUCTION", "", "Doctor: nothing known hurts: 0 found, 0 unknown, 2 clear (2 hosts, 2.2 s)",
    ]  # fmt: skip


def test_its_document_holds_every_line() -> None:
    document = json.loads(diagnosis_document([diagnosis(HURTS, WELL)], 2))
    (cluster,) = document["clusters"]

    assert (document["format"], document["version"], document["exit_status"]) == ("gonka-state/doctor", 1, 2)
    assert cluster["summary"] == {"found": 1, "unknown": 0, "clear": 2}
    assert cluster["hosts"]["c-network"]["symptoms"][0] == {
        "symptom": "old data backups",
        "verdict": "found",
        "asked": "data-backup-*",
        "evidence": "/d/data-backup-1\x1b, 150.0 GB, 33 d old",
        "meaning": "Each upgrade copies the data and keeps the copy.",
        "fix": "on this host:\nrm -r /d/data-backup-1",
    }


def test_the_status_it_ends_with() -> None:
    alone = Diagnosis("c", lab=False, hosts=(HostDiagnosis("h", "a", (HURTS,), reached=False),))

    assert diagnosis_status(diagnosis(WELL)) is ExitStatus.OK
    assert diagnosis_status(diagnosis(HURTS)) is ExitStatus.PENDING
    assert diagnosis_status(diagnosis(HURTS, DARK)) is ExitStatus.PARTIAL
    assert diagnosis_status(diagnosis(WELL, reached=False)) is ExitStatus.PARTIAL
    assert diagnosis_status(alone) is ExitStatus.ERROR
    assert diagnosis_status(Diagnosis("c", lab=False, hosts=())) is ExitStatus.OK
