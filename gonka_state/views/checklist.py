"""A checklist for people, and as a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.checklist import Verdict
from gonka_state.views.machine import VERSION, text
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.checklist import Check, Checklist, HostChecks

_COLORS = {
    Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.BLOCKED: "red", Verdict.FAILED: "red", Verdict.UNKNOWN: "cyan",
}  # fmt: skip
_WIDTH = max(len(verdict) for verdict in Verdict)


def render_checklist(checklist: Checklist, style: Style, *, quiet: bool = False) -> str:
    """A table per host; quiet leaves out what is well. The last line counts."""
    where = "LAB" if checklist.lab else "PRODUCTION"
    lines = [style.paint(f"{checklist.cluster} · {where}", "cyan" if checklist.lab else "bold")]
    for host in checklist.hosts:
        shown = [check for check in host.checks if not quiet or check.verdict is not Verdict.OK]
        if shown:
            lines += ["", f"{style.paint(clean(host.host), 'bold')}  {clean(host.address)}"]
            lines += _table(shown, style)
    counts = ", ".join(f"{checklist.count(verdict)} {verdict}" for verdict in checklist.verdicts)
    title = checklist.command.capitalize()
    return "\n".join(
        [*lines, "", f"{title}: {counts} ({len(checklist.hosts)} hosts, {checklist.seconds:.1f} s)"]
    )


def _table(checks: Sequence[Check], style: Style) -> list[str]:
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        verdict = style.paint(f"{check.verdict:<{_WIDTH}}", _COLORS[check.verdict])
        prefix = f"  {verdict}  {clean(check.name):<{width}}  "
        lines += style.hang(prefix, clean(check.evidence), _WIDTH + width + 6)
        lines += [f"      {style.paint(clean(line), 'dim')}" for line in check.hint.splitlines()]
    return lines


def checklist_document(checklists: Sequence[Checklist], status: int) -> str:
    """Checklists of one or several clusters, made by one command; `status` is the exit status this run ends with."""
    command = checklists[0].command if checklists else "check"
    document: dict[str, Any] = {
        "format": f"gonka-state/{command}",
        "version": VERSION,
        "exit_status": status,
    }
    return text(document | {"clusters": [_cluster(checklist) for checklist in checklists]})


def _cluster(checklist: Checklist) -> dict[str, Any]:
    return {
        "cluster": checklist.cluster,
        "lab": checklist.lab,
        "seconds": round(checklist.seconds, 3),
        "summary": {str(verdict): checklist.count(verdict) for verdict in checklist.verdicts},
        "hosts": {host.host: _host(host) for host in checklist.hosts},
    }


def _host(host: HostChecks) -> dict[str, Any]:
    checks = [
        {"name": check.name, "verdict": str(check.verdict), "evidence": check.evidence, "hint": check.hint}
        for check in host.checks
    ]
    return {"address": host.address, "reached": host.reached, "checks": checks}
