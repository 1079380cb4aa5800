"""Waits until the API has made a fresh setup report, and fails in its own words where checks do not pass."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from gonka_state.errors import FactError, StepError
from gonka_state.facts.base import MARK, PRELUDE, Look
from gonka_state.facts.setup_report import FACT, PASS, REPORT_SECONDS, find
from gonka_state.operations.base import Commands, Do, Pause, Say, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.facts.setup_report import Report
    from gonka_state.resources.setup_report import SetupReportResource

PATIENCE, POLL, LONGEST = 20, 4, 65
_ADVICE = {
    "permissions_granted": "the grants: gonka-state diff --kind grants prints the command for the account key",
    "feegrant_allowance": "the grants: the same command of the account key also allows the fees",
    "consensus_key_match": "another signer's key is registered: gonka-state diff --kind registration",
    "cold_key_not_in_keyring": "the account key lies on this host: gonka-state diff --kind account",
    "warm_key_in_keyring": "is network.ml_key_name the name of the key in the keyring?",
    "block_sync": "docker logs --tail 50 node, on this host",
    "versions": "docker logs --tail 50 api, on this host",
}


def apply(step: Step[SetupReportResource]) -> Commands:
    """Ask again once the report that failed is no longer kept; give the services a moment.

    Raises:
        StepError: a check does not pass; with the API's own messages.
    """
    wish = step.resource
    script = f"M={MARK}x\n{PRELUDE}\n{FACT.script([wish], Look())}"
    began, fresh = time.monotonic(), False
    while True:
        result = yield Do("read the setup report", script, deadline=REPORT_SECONDS + 30, again=True)
        state = _read(result.stdout)
        checks = find(state, wish.checks)
        failing = {name: check.message for name, check in checks.items() if check.status != PASS}
        if not failing and not state.problem:
            yield Say(f"{len(checks)} checks pass")
            return
        if state.left and not fresh:
            fresh = True
            yield Say(f"the API keeps this report for {state.left:.0f} s more: waiting for the next one")
            yield Pause(min(state.left, LONGEST) + 1)
        elif time.monotonic() - began < PATIENCE:
            yield Pause(POLL)
        else:
            raise _failed(failing, state.problem)


def _failed(failing: Mapping[str, str], problem: str) -> StepError:
    what = "; ".join(f"{name}: {message}" for name, message in failing.items())
    hints = [_ADVICE[name] for name in failing if name in _ADVICE]
    return StepError(problem or f"the setup report does not pass. {what}", hint="\n".join(hints))


def _read(text: str) -> Report:
    try:
        return FACT.parse(text)
    except FactError as error:
        raise StepError(f"the setup report cannot be understood: {error}") from error
