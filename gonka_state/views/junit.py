"""One test case per resource or check, as JUnit's XML: what CI servers show."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.checklist import Verdict
from gonka_state.core.incident import known_of
from gonka_state.core.units import iso_moment
from gonka_state.views.changes import is_text, short
from gonka_state.views.style import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.change import AttributeChange, Change
    from gonka_state.core.checklist import Check, Checklist
    from gonka_state.core.plan import Plan

_TAGS = {Verdict.FAILED: "failure", Verdict.BLOCKED: "failure", Verdict.UNKNOWN: "error"}


def render_junit(plans: Sequence[Plan], now: float) -> str:
    """One suite per cluster. What differs failed, what is unknown is an error, what is left alone was skipped."""
    suites = []
    for plan in plans:
        cases = [_case(plan, change.address, _verdict(change, plan)) for change in plan.changes]
        cases += [_case(plan, address, None) for address in plan.synced]
        suites.append(_suite(plan.cluster, cases, plan.seconds, now))
    return _document("gonka-state drift", suites)


def render_checks(checklists: Sequence[Checklist], now: float) -> str:
    """One suite per cluster, one case per check. A warning passes, and is told in its case's output."""
    suites = []
    for one in checklists:
        cases = [_check(one.cluster, host.host, check) for host in one.hosts for check in host.checks]
        suites.append(_suite(one.cluster, cases, one.seconds, now))
    return _document("gonka-state verify", suites)


def _document(name: str, suites: Sequence[ET.Element]) -> str:
    root = ET.Element("testsuites", name=name)
    root.extend(suites)
    ET.indent(root)
    # Python would declare the encoding of whoever's locale this is; the file is always UTF-8.
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _suite(name: str, cases: Sequence[ET.Element], seconds: float, now: float) -> ET.Element:
    counts = {
        tag: sum(1 for case in cases if case.find(tag) is not None) for tag in ("failure", "error", "skipped")
    }
    suite = ET.Element(
        "testsuite",
        name=_text(name),
        tests=str(len(cases)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{seconds:.3f}",
        timestamp=iso_moment(now).removesuffix("+00:00"),
    )
    suite.extend(cases)
    return suite


def _check(cluster: str, host: str, check: Check) -> ET.Element:
    case = ET.Element("testcase", classname=_text(f"{cluster}.{host}"), name=_text(check.name), time="0")
    if check.verdict in _TAGS:
        verdict = ET.SubElement(case, _TAGS[check.verdict], message=_text(check.evidence))
        verdict.text = "\n".join(_text(line) for line in check.hint.splitlines())
    elif check.evidence:
        ET.SubElement(case, "system-out").text = _text(check.evidence)
    return case


def _case(plan: Plan, address: Address, verdict: ET.Element | None) -> ET.Element:
    case = ET.Element(
        "testcase", classname=_text(f"{plan.cluster}.{address.host}"), name=_text(address.local), time="0"
    )
    if verdict is not None:
        case.append(verdict)
    return case


def _verdict(change: Change, plan: Plan) -> ET.Element:
    seen = known_of(change, plan.seen)
    said = [
        change.reason,
        *(_item(item) for item in change.attributes),
        change.held,
        *change.hint.splitlines(),
    ]
    said += [f"since {iso_moment(seen.since)}"] if seen else []
    if change.maintenance or change.warning or change.conditional:
        return ET.Element("skipped", message=_text(change.maintenance or change.reason or "a warning"))
    unknown = change.action is Action.UNKNOWN
    message = change.reason if unknown else f"{change.action}, {change.effect}"
    verdict = ET.Element(
        "error" if unknown else "failure", type=seen.origin if seen else "", message=_text(message)
    )
    verdict.text = "\n".join(_text(line) for line in said if line)
    return verdict


def _item(item: AttributeChange) -> str:
    return f"{item.name} differs" if is_text(item) else short(item)


def _text(text: str) -> str:
    """Text without what XML cannot hold: controls, and halves of characters."""
    return clean(text).encode("utf-8", "backslashreplace").decode()
