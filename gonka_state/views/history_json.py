"""The history for programs (docs/json.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.history import Verdict
from gonka_state.core.units import iso_moment
from gonka_state.views.machine import VERSION, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.history import Run
    from gonka_state.core.incident import Incident
    from gonka_state.core.overview import Detail, Overview


def overview_document(found: Sequence[Overview]) -> str:
    """Every cluster over a span of time."""
    return text(
        {"format": "gonka-state/history", "version": VERSION, "clusters": [_overview(one) for one in found]}
    )


def detail_document(one: Detail) -> str:
    """One run in full."""
    return text(
        {
            "format": "gonka-state/run",
            "version": VERSION,
            "cluster": one.cluster,
            "lab": one.lab,
            **_run(one.run),
            "open": [_incident(incident) for incident in one.open],
        }
    )


def _overview(one: Overview) -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "lab": one.lab,
        "since": iso_moment(one.since),
        "until": iso_moment(one.until),
        "shares": {said.replace(" ", "_"): round(one.shares[said], 6) for said in Verdict},
        "checks": one.checks,
        "last": None if one.last is None else _run(one.last),
        "open": [_incident(incident) for incident in one.open],
        "converges": [_run(run) for run in one.converges],
        "flapping": [
            {"subject": flap.subject, "times": flap.times, "last": iso_moment(flap.last)}
            for flap in one.flapping
        ],
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "number": run.number,
        "command": run.command,
        "at": iso_moment(run.at),
        "seconds": run.seconds,
        "exit_status": run.status,
        "whole": run.whole,
        "verdict": str(run.verdict),
        "in_sync": run.in_sync,
        "pending": run.pending,
        "unknown": run.unknown,
        "steps": [
            {
                "address": step.address,
                "action": step.action,
                "effect": step.effect,
                "status": step.status,
                "seconds": step.seconds,
                "detail": step.detail,
            }
            for step in run.steps
        ],
    }


def _incident(incident: Incident) -> dict[str, Any]:
    finding = incident.finding
    return {
        "subject": finding.subject,
        "origin": str(incident.origin),
        "since": iso_moment(incident.opened),
        "seen": iso_moment(incident.seen),
        "closed": "" if incident.closed is None else iso_moment(incident.closed),
        "action": finding.action,
        "effect": finding.effect,
        "attributes": [{"name": i.name, "before": i.before, "after": i.after} for i in finding.attributes],
        "reason": finding.reason,
    }
