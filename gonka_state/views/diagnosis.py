"""A diagnosis for people, and as a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.diagnosis import Verdict
from gonka_state.views.machine import VERSION, text
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.diagnosis import Diagnosis, HostDiagnosis, Line

_COLORS = {Verdict.FOUND: "red", Verdict.UNKNOWN: "yellow", Verdict.CLEAR: "green"}
_WIDTH = max(len(verdict) for verdict in Verdict)


def render_diagnosis(diagnosis: Diagnosis, style: Style, *, every: bool = False) -> str:
    """What hurts, host by host; with `every` also what was looked for in vain. The last line counts."""
    where = "LAB" if diagnosis.lab else "PRODUCTION"
    lines = [style.paint(f"{diagnosis.cluster} · {where}", "cyan" if diagnosis.lab else "bold")]
    for host in diagnosis.hosts:
        shown = [line for line in host.lines if every or line.finding.verdict is not Verdict.CLEAR]
        if shown:
            lines += ["", f"{style.paint(clean(host.host), 'bold')}  {clean(host.address)}"]
            lines += _table(shown, style)
    counts = ", ".join(f"{diagnosis.count(verdict)} {verdict}" for verdict in Verdict)
    hurts = diagnosis.count(Verdict.FOUND) + diagnosis.count(Verdict.UNKNOWN)
    title = "Doctor" if hurts else "Doctor: nothing known hurts"
    return "\n".join(
        [*lines, "", f"{title}: {counts} ({len(diagnosis.hosts)} hosts, {diagnosis.seconds:.1f} s)"]
    )


def _table(lines: Sequence[Line], style: Style) -> list[str]:
    width = max(len(line.symptom) for line in lines)
    shown = []
    for line in lines:
        finding = line.finding
        verdict = style.paint(f"{finding.verdict:<{_WIDTH}}", _COLORS[finding.verdict])
        prefix = f"  {verdict}  {clean(line.symptom):<{width}}  "
        shown += style.hang(prefix, clean(finding.evidence), _WIDTH + width + 6)
        meaning = style.wrap(line.meaning, 6) if line.meaning and finding.verdict is Verdict.FOUND else []
        further = [*meaning, *finding.fix.splitlines()]
        shown += [f"      {style.paint(clean(item), 'dim')}" for item in further]
    return shown


def diagnosis_document(diagnoses: Sequence[Diagnosis], status: int) -> str:
    """Diagnoses of one or several clusters; `status` is the exit status this run ends with."""
    document: dict[str, Any] = {"format": "gonka-state/doctor", "version": VERSION, "exit_status": status}
    return text(document | {"clusters": [_cluster(diagnosis) for diagnosis in diagnoses]})


def _cluster(diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "cluster": diagnosis.cluster,
        "lab": diagnosis.lab,
        "seconds": round(diagnosis.seconds, 3),
        "summary": {str(verdict): diagnosis.count(verdict) for verdict in Verdict},
        "hosts": {host.host: _host(host) for host in diagnosis.hosts},
    }


def _host(host: HostDiagnosis) -> dict[str, Any]:
    symptoms = [
        {
            "symptom": line.symptom,
            "verdict": str(line.finding.verdict),
            "asked": line.asked,
            "evidence": line.finding.evidence,
            "meaning": line.meaning,
            "fix": line.finding.fix,
        }
        for line in host.lines
    ]
    return {"address": host.address, "reached": host.reached, "symptoms": symptoms}
