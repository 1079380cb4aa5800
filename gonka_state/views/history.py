"""The history for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.history import FLAP_WINDOW, Verdict
from gonka_state.core.units import human_age, human_duration, show_moment
from gonka_state.views.changes import is_text, short, unified
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.history import Run
    from gonka_state.core.incident import Incident
    from gonka_state.core.overview import Detail, Overview

_COLORS = {Verdict.IN_SYNC: "green", Verdict.DIFFERS: "yellow", Verdict.UNKNOWN: "cyan"}
_STEP_COLORS = {"changed": "green", "skipped": "yellow"}


def render_overview(found: Sequence[Overview], style: Style) -> str:
    """Every cluster: how long it was in sync, what is open, what was done, what comes and goes."""
    return "\n\n".join("\n".join(_overview(one, style)) for one in found)


def _overview(one: Overview, style: Style) -> list[str]:
    lines = [f"{_title(one.cluster, style, lab=one.lab)} · the last {human_age(one.until - one.since)}"]
    lines.append(
        "  "
        + ", ".join(style.paint(f"{said} {_percent(one.shares[said])}", _COLORS[said]) for said in Verdict)
    )
    lines.append(f"  {_checks(one)}")
    if one.open:
        lines += ["", "  open", *_incidents(one.open, one.until, style)]
    if one.converges:
        lines += ["", "  converges", *(f"    {_converge(run, style)}" for run in one.converges)]
    if one.flapping:
        lines += ["", f"  flapping: opened so often within {FLAP_WINDOW // 3600} h"]
        lines += [
            f"    {clean(flap.subject)}  {flap.times} times, last {show_moment(flap.last)}"
            for flap in one.flapping
        ]
    return lines


def _title(cluster: str, style: Style, *, lab: bool) -> str:
    return style.paint(f"{cluster} · {'LAB' if lab else 'PRODUCTION'}", "cyan" if lab else "bold")


def _percent(share: float) -> str:
    """Only what is whole is called so: 99.97 % is not 100 %."""
    percent = share * 100
    shown = min(max(round(percent, 1), 0.1), 99.9) if 0 < percent < 100 else percent  # noqa: PLR2004 (per cent)
    return f"{shown:.1f} %"


def _checks(one: Overview) -> str:
    if one.last is None:
        return "never checked as a whole"
    last = one.last
    age = human_age(one.until - last.at)
    return f"{one.checks} checks; the last, #{last.number}, {age} ago: {last.verdict}"


def _incidents(incidents: Sequence[Incident], now: float, style: Style) -> list[str]:
    width = max(len(clean(incident.finding.subject)) for incident in incidents)
    lines = []
    for incident in incidents:
        finding = incident.finding
        since = f"since {show_moment(incident.opened)}, {human_age(now - incident.opened)}"
        word = style.paint(f"{incident.origin:<8}", "cyan" if finding.unknown else "yellow")
        lines.append(f"    {word} {clean(finding.subject):<{width}}  {since}")
    return lines


def _converge(run: Run, style: Style) -> str:
    counts = {status: sum(1 for step in run.steps if step.status == status) for status in _statuses(run)}
    said = ", ".join(
        style.paint(f"{n} {status}", _STEP_COLORS.get(status, "red")) for status, n in counts.items()
    )
    what = "" if run.command == "converge" else f"{run.command}: "
    return f"#{run.number}  {show_moment(run.at)}  {what}{said} ({human_duration(run.seconds)}), exit status {run.status}"


def _statuses(run: Run) -> list[str]:
    return sorted({step.status for step in run.steps})


def render_detail(one: Detail, style: Style) -> str:
    """One run: its figures, its steps, and what was open after it."""
    run = one.run
    lines = [
        f"{_title(one.cluster, style, lab=one.lab)} · #{run.number} {run.command}",
        f"  ended {show_moment(run.at)} after {run.seconds:.1f} s with exit status {run.status}",
    ]
    lines.append(
        f"  {run.in_sync} in sync, {run.pending} differ, {run.unknown} unknown"
        if run.whole
        else "  only a part of the cluster was selected"
    )
    lines += ["", "  steps"] if run.steps else []
    for step in run.steps:
        status = style.paint(f"{step.status:<9}", _STEP_COLORS.get(step.status, "red"))
        lines.append(
            f"    {status} {clean(step.address)}  {step.action}, {step.effect}  {step.seconds:.1f} s"
        )
        lines += [f"              {clean(line)}" for line in step.detail.splitlines()]
    lines += ["", "  open after it"] if one.open else []
    for incident in one.open:
        # Of what is open only the last word is kept.
        later = (
            [f"      as it was seen last, {show_moment(incident.seen)}:"] if incident.seen > run.at else []
        )
        lines += [
            *_incidents([incident], run.at, style),
            *later,
            *(f"      {line}" for line in _said(incident, style)),
        ]
    return "\n".join(lines)


def _said(incident: Incident, style: Style) -> list[str]:
    finding = incident.finding
    lines = [clean(line) for line in finding.reason.splitlines()]
    for item in finding.attributes:
        lines += unified(item, style, verbose=False) if is_text(item) else [clean(short(item))]
    closed = f"closed {show_moment(incident.closed)}" if incident.closed is not None else ""
    return [*lines, closed] if closed else lines
