"""The setup report: the API's own words, what this release does not check is not asked for, nonsense is unknown."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.here import Here
from gonka_state.facts.setup_report import FACT, comes_before, observe_report, unmanaged_checks, wanted_report
from gonka_state.resources.node import NodeResource
from gonka_state.resources.setup_report import SetupReportResource

HERE = Here("net", {})
WISH = SetupReportResource(
    name="block", checks=dict.fromkeys(("versions", "block_sync", "later_check"), "PASS")
)
NODE = NodeResource(
    name="n", host="10.0.0.2", inference_port=5050, poc_port=8080, models={"ORG/M": {"args": []}}, about="n"
)
VERSIONS = '{"api_version": {"version": "0.2.13"}}\n200'


def section(report: str, *, versions: str = VERSIONS, rc: str = "0 ") -> str:
    parts = [("versions", versions, "0 "), ("clock", "5", "0 "), ("report", report, rc)]
    lines = ["#@x part container", "#@x rc 1 Error: No such container: node"]
    for name, text, status in parts:
        lines += [f"#@x part {name}", text, f"#@x rc {status}"]
    return "\n".join(lines)


def report(*checks: tuple[str, str]) -> str:
    listed = [{"id": name, "status": status, "message": f"about {name}"} for name, status in checks]
    return f"{json.dumps({'checks': listed})}\n200"


def test_only_what_this_release_checks_is_asked_for() -> None:
    state = FACT.parse(
        section(report(("block_sync", "FAIL"), ("active_in_epoch", "FAIL"), ("other", "PASS")))
    )

    seen = observe_report(state, WISH, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes == {"checks": {"versions": "PASS", "block_sync": "FAIL"}}
    assert wanted_report(state, WISH, HERE) == {"checks": {"versions": "PASS", "block_sync": "PASS"}}
    assert seen.reason == "block_sync: about block_sync"
    assert [(item.name, item.detail) for item in unmanaged_checks(state, [WISH], HERE)] == [
        ("active_in_epoch", "FAIL: about active_in_epoch")
    ]


@pytest.mark.parametrize(
    ("report_text", "rc", "reason", "pending_on"),
    [
        ("", "7 Failed to connect", "does not answer: Failed to connect", "compose-service"),
        ('{"error": "busy"}\n500', "0 ", "answers 500: busy", ""),
        ("<html>\n200", "0 ", "something else than a report", ""),
        ('{"checks": [{"id": "x"}]}\n200', "0 ", "something else than a report", ""),
    ],
)
def test_what_is_no_report_is_unknown(report_text: str, rc: str, reason: str, pending_on: str) -> None:
    seen = observe_report(FACT.parse(section(report_text, rc=rc)), WISH, HERE)

    assert isinstance(seen, Unknown)
    assert reason in seen.reason
    assert seen.pending_on == pending_on


def test_an_old_api_is_judged_by_its_node() -> None:
    state = FACT.parse(section('{"error": "Not Found"}\n404'))

    seen = observe_report(state, WISH, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes == {"checks": {"versions": "PASS", "block_sync": "UNAVAILABLE"}}
    assert "there is no chain node yet" in seen.reason


@given(st.text())
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        FACT.parse(text)
    except FactError:
        return


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["checks", "id", "status", "message", "cached_until"]), inner)
    ),
)


@given(JSON, st.sampled_from([200, 404, 500]))
def test_whatever_json_it_is_nothing_breaks(value: object, code: int) -> None:
    observe_report(FACT.parse(section(f"{json.dumps(value)}\n{code}")), WISH, HERE)


def test_the_levels_differ_in_who_has_to_act() -> None:
    assert not WISH.warns
    assert SetupReportResource(name="warn", checks={"versions": "PASS"}).warns
    assert "http://h:1/admin/v1/setup/report" in FACT.standalone(api="http://h:1")


@pytest.mark.parametrize(
    ("level", "checks", "waits"),
    [
        ("block", ["versions", "permissions_granted"], True),
        ("warn", ["versions"], False),
        ("block", ["versions", "active_in_epoch"], False),
        ("block", ["mlnode_network-node"], False),
    ],
)
def test_a_node_waits_for_what_blocks_unless_that_tells_of_nodes(
    level: str, checks: list[str], *, waits: bool
) -> None:
    report = SetupReportResource.model_validate({"name": level, "checks": dict.fromkeys(checks, "PASS")})

    assert comes_before(NODE, report) is waits
