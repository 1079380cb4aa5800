"""The gate after the launch: a report that is kept is not believed against us, a fresh one is."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.lab.standins.chainclock import rfc3339
from gonka_state.operations import setup_report
from gonka_state.operations.base import Do, Pause, Result, Say
from gonka_state.operations.setup_report import apply
from gonka_state.resources.setup_report import SetupReportResource
from tests.operations.hands import step_of

if TYPE_CHECKING:
    from collections.abc import Sequence

WISH = SetupReportResource(name="block", checks={"versions": "PASS", "permissions_granted": "PASS"})


def printed(status: str, left: int = 0, versions: str = '{"api_version": {}}\n200') -> str:
    now = int(time.time())
    check = {"id": "permissions_granted", "status": status, "message": "Missing 2 of 20 required permissions"}
    report = {"checks": [check], "cached_until": rfc3339(now + left)}
    parts = {"versions": versions, "report": f"{json.dumps(report)}\n200", "clock": str(now)}
    lines = ["#@x part container", "#@x rc 1 Error: No such container: node"]
    for name, text in parts.items():
        lines += [f"#@x part {name}", text, "#@x rc 0 "]
    return "\n".join(lines)


def told(answers: Sequence[str]) -> tuple[list[str], list[float]]:
    """Carry it out; what it told and how long it paused each time. The last answer is given for ever."""
    commands, said, paused = apply(step_of(WISH, Action.UPDATE, "checks.permissions_granted")), list[str](), list[float]()  # fmt: skip
    left, result = list(answers), Result(0)
    command = next(commands)
    try:
        while True:
            if isinstance(command, Do):
                result = Result(0, left.pop(0) if len(left) > 1 else left[0])
            elif isinstance(command, Say):
                said.append(command.text)
            elif isinstance(command, Pause):
                paused.append(command.seconds)
            command = commands.send(result)
    except StopIteration:
        return said, paused


def test_what_passes_is_told_at_once() -> None:
    assert told([printed("PASS")]) == (["2 checks pass"], [])


def test_a_report_that_is_kept_is_waited_for() -> None:
    said, paused = told([printed("FAIL", left=40), printed("PASS")])

    assert "keeps this report for" in said[0]
    assert said[-1] == "2 checks pass"
    assert 38 <= paused[0] <= 42


def test_a_fresh_report_that_fails_is_an_error_in_the_apis_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_report, "PATIENCE", 0)

    with pytest.raises(StepError, match="permissions_granted: Missing 2 of 20") as failed:
        told([printed("FAIL", left=30), printed("FAIL", left=60)])

    assert "--kind grants" in failed.value.hint


def test_a_public_api_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_report, "PATIENCE", 0)

    with pytest.raises(StepError, match=r"versions: /v1/versions answers 500: no node"):
        told([printed("PASS", versions='{"error": "no node"}\n500')])


def test_an_api_that_is_away_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup_report, "PATIENCE", 0)
    away = printed("PASS").replace("#@x part report", "#@x part report\n#@x rc 7 refused\n#@x part other")

    with pytest.raises(StepError, match="the Admin API does not answer: refused"):
        told([away])
