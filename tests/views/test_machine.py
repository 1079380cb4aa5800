"""What programs read: versioned documents that carry everything the plan knows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change, Effect
from gonka_state.core.observation import Unmanaged
from gonka_state.core.plan import HostLooked, Plan
from gonka_state.core.report import Outcome, Report, Status
from gonka_state.views.machine import error_document, plan_document, report_document

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGE = Change(
    Address("ml-01", "firewall-rule", "5050/tcp"),
    Action.UPDATE,
    (AttributeChange("from", ("any",), ["10.77.0.11"]), AttributeChange("comment", None, "ä")),
    effect=Effect.DISRUPTIVE,
    reason="because",
    hint="do",
    held="waits for b",
)
PLAN = Plan(
    "c",
    lab=True,
    hosts=(HostLooked("ml-01", 0.5, 1), HostLooked("ml-02", unknown="is off", hint="switch it on")),
    changes=(CHANGE, Change(Address("ml-02", "file", "/a"), Action.UNKNOWN, reason="is off")),
    in_sync=3,
    unmanaged=(Unmanaged("ml-01", "model", "a/b", "3 GB"),),
    missing=("KEY (c.yaml:7)",),
    seconds=1.23456,
    addresses={"ml-01": "10.77.0.11"},
)
OUTCOME = Outcome(CHANGE, Status.FAILED, 1.23456, "no", "why")


def test_documents_are_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("plan.json", plan_document([PLAN], 3))
    golden("report.json", report_document([Report(PLAN, (OUTCOME,), PLAN, 2.0)], 5))
    golden("error.json", error_document("one\ntwo", "try", 4, ["one", "two"]))


def test_every_document_names_its_format_and_version() -> None:
    documents = [
        plan_document([], 0),
        report_document([], 0),
        error_document("wrong", "", 1),
    ]

    found = [json.loads(text) for text in documents]

    assert [item["format"] for item in found] == [
        "gonka-state/plan",
        "gonka-state/report",
        "gonka-state/error",
    ]
    assert {item["version"] for item in found} == {1}


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=5,
)


@given(before=VALUES, after=VALUES, text=st.text())
def test_any_value_survives_the_way_through_json(before: object, after: object, text: str) -> None:
    change = Change(
        Address("h", "file", "/a"), Action.UPDATE, (AttributeChange(text, before, after),), reason=text
    )
    plan = Plan("c", lab=False, hosts=(), changes=(change,), in_sync=0)

    found = json.loads(plan_document([plan], 2))["clusters"][0]["changes"][0]

    assert found["attributes"] == [{"name": text, "before": before, "after": after}]
    assert found["reason"] == text
