"""Messages as they arrive: a subject that says it all in a list, and the text that drift prints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.incident import Finding, Incident, Origin
from gonka_state.core.notice import Occasion
from gonka_state.core.telling import Kept, Telling
from gonka_state.views.drift import render_drift
from gonka_state.views.notice import notices, trial
from gonka_state.views.style import Style
from tests.views.test_drift import COMMANDS, ML, NETWORK, NOW, OFF, PLAN

if TYPE_CHECKING:
    from collections.abc import Callable

    Golden = Callable[[str, str], None]

CHECKED = "checked 2026-11-25 09:46 UTC by ops"
TEXT = render_drift(PLAN, COMMANDS, Style(), NOW)
IN_SYNC = replace(
    PLAN, changes=(), hosts=tuple(replace(looked, unknown="") for looked in PLAN.hosts), in_sync=326
)


def kept(
    subject: str, origin: Origin = Origin.DRIFT, closed: float | None = None, *, flapping: bool = False
) -> Kept:
    finding = Finding(subject, unknown=origin is Origin.UNKNOWN)
    return Kept(1, Incident(finding, origin, NOW - 40_000, NOW, closed), flapping=flapping)


RULE, FILE = kept(f"{ML}/firewall-rule:5050/tcp"), kept(f"{ML}/file:/etc/a\x1b[2J\nBcc: x")
GOING = kept(f"{NETWORK}/compose-service:api", flapping=True)
SILENT = kept(OFF, Origin.UNKNOWN)
ASKED = kept(f"{NETWORK}/registration:gonka1abc", Origin.PENDING)


def over(item: Kept) -> Kept:
    return replace(item, incident=replace(item.incident, closed=NOW - 60))


def test_messages_are_as_reviewed(golden: Golden) -> None:
    found = Telling(
        (RULE, FILE, SILENT, ASKED), (GOING,), (over(kept(f"{ML}/sysctl:vm.swappiness")), over(GOING))
    )

    texts = [f"Subject: {notice.subject}\n\n{notice.body}" for notice in notices(found, PLAN, TEXT, CHECKED)]
    alone = [
        f"Subject: {notice.subject}\n\n{notice.body}"
        for notice in notices(Telling(closed=(over(RULE),)), replace(IN_SYNC, lab=True), "", CHECKED)
    ]
    test = trial(["cluster1", "cluster2"], CHECKED)

    golden("notices.txt", "\n\n\n".join([*texts, *alone, f"Subject: {test.subject}\n\n{test.body}"]))


def test_a_message_has_one_occasion() -> None:
    found = Telling((RULE,), (), (over(FILE),))

    assert [notice.occasion for notice in notices(found, PLAN, TEXT, CHECKED)] == [
        Occasion.INCIDENT,
        Occasion.RECOVERY,
    ]
    assert list(notices(Telling(settled=(over(FILE),)), PLAN, TEXT, CHECKED)) == []


def test_a_subject_stays_short_and_the_body_bounded() -> None:
    many = Telling(tuple(kept(f"cluster2-ml-{n:03}/firewall-rule:5050/tcp") for n in range(300)))

    (notice,) = notices(many, PLAN, "TEXT", CHECKED)

    assert notice.subject == (
        "cluster2: 300 drifted (cluster2-ml-000 firewall-rule, cluster2-ml-001 firewall-rule, …)"
    )
    assert "  and 280 more\n\nTEXT\n" in notice.body
    assert notice.body.count("\n") < 30


@given(st.text(min_size=1))
def test_no_name_breaks_out_of_its_line(name: str) -> None:
    found = Telling((kept(f"{ML}/file:{name}"),), (), (over(kept(name)),))

    for notice in notices(found, PLAN, "TEXT", CHECKED):
        assert notice.subject.isprintable()
        assert len(notice.body.split("\n")) == len(notice.body.splitlines()) <= 6
