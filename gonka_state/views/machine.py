"""The same values as versioned JSON documents, for programs. The format is described in docs/json.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gonka_state.core.incident import known_of
from gonka_state.core.units import iso_moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Desired
    from gonka_state.core.incident import Seen
    from gonka_state.core.observation import Note
    from gonka_state.core.plan import Plan
    from gonka_state.core.report import Outcome, Report

VERSION = 1


def plan_document(plans: Sequence[Plan], status: int) -> str:
    """Plans of one or several clusters; `status` is the exit status this run ends with."""
    return text(
        {
            "format": "gonka-state/plan",
            "version": VERSION,
            "exit_status": status,
            "clusters": [_plan(p) for p in plans],
        }
    )


def report_document(reports: Sequence[Report], status: int, further: Mapping[str, Any] | None = None) -> str:
    """Reports of one or several clusters; `further` are fields of one command alone."""
    clusters = [
        {
            "cluster": report.plan.cluster,
            "lab": report.plan.lab,
            "seconds": round(report.seconds, 3),
            "steps": [_outcome(outcome) for outcome in report.outcomes],
            "plan": _plan(report.plan),
            "after": _plan(report.after),
        }
        for report in reports
    ]
    document = {"format": "gonka-state/report", "version": VERSION, "exit_status": status}
    return text(document | {"clusters": clusters} | dict(further or {}))


def valid_document(clusters: Sequence[Desired[Any]]) -> str:
    """Clusters whose YAML is right."""
    rows = [
        {
            "cluster": desired.cluster,
            "file": desired.file,
            "lab": desired.lab,
            "hosts": len(desired.hosts),
            "resources": len(desired.resources),
            "missing": list(desired.missing),
        }
        for desired in clusters
    ]
    return text({"format": "gonka-state/valid", "version": VERSION, "exit_status": 0, "clusters": rows})


def error_document(message: str, hint: str, status: int, problems: Sequence[str] = ()) -> str:
    """An error that ended the run."""
    document: dict[str, Any] = {"format": "gonka-state/error", "version": VERSION, "exit_status": status}
    document |= {"message": message, "hint": hint, "problems": list(problems)}
    return text(document)


def text(document: dict[str, Any]) -> str:
    """A document as JSON text."""
    return json.dumps(document, indent=2, default=list)


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "cluster": plan.cluster,
        "lab": plan.lab,
        "seconds": round(plan.seconds, 3),
        "hosts": {
            looked.host: {
                "address": plan.addresses.get(looked.host, ""),
                "execs": looked.execs,
                "seconds": looked.seconds,
                "unknown": looked.unknown,
                "hint": looked.hint,
                "maintenance": looked.maintenance,
                "since": _since(plan.seen.get(looked.host) if looked.unknown else None),
            }
            for looked in plan.hosts
        },
        "summary": {
            "pending": len(plan.pending),
            "runnable": len(plan.runnable),
            "unknown": len(plan.unknown),
            "in_sync": plan.in_sync,
            "maintenance": len(plan.maintained),
            "unmanaged": len(plan.unmanaged),
        },
        "changes": [{**_change(change), **_known(change, plan)} for change in plan.changes],
        "unmanaged": [
            {"host": item.host, "kind": item.kind, "name": item.name, "detail": item.detail}
            for item in plan.unmanaged
        ],
        "missing": list(plan.missing),
        "notes": [_note(note) for note in plan.notes],
        "chain": _chain(plan),
        "ignored_phase": plan.ignored_phase,
    }


def _chain(plan: Plan) -> dict[str, Any] | None:
    chain = plan.chain
    if chain is None:
        return None
    return {
        "serving": chain.serving,
        "phase": chain.phase,
        "height": chain.height,
        "next_poc": chain.next_poc,
        "holds": chain.why if chain.holds else "",
    }


def _note(note: Note) -> dict[str, Any]:
    return {
        "host": note.host,
        "kind": note.kind,
        "name": note.name,
        "text": note.text,
        "values": dict(note.values),
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": str(change.address),
        "host": change.address.host,
        "kind": change.address.kind,
        "name": change.address.name,
        "action": str(change.action),
        "effect": str(change.effect),
        "attributes": [{"name": i.name, "before": i.before, "after": i.after} for i in change.attributes],
        "reason": change.reason,
        "hint": change.hint,
        "held": change.held,
        "human": change.human,
        "warning": change.warning,
        "conditional": change.conditional,
        "maintenance": change.maintenance,
    }


def _known(change: Change, plan: Plan) -> dict[str, str]:
    seen = known_of(change, plan.seen)
    return {"origin": str(seen.origin) if seen else "", "since": _since(seen)}


def _since(seen: Seen | None) -> str:
    return iso_moment(seen.since) if seen else ""


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        **_change(outcome.change),
        "status": str(outcome.status),
        "seconds": round(outcome.seconds, 3),
        "detail": outcome.detail,
        "hint": outcome.hint,
    }
