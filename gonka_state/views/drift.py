"""What is not as wished, short enough for a mail: since when, who moved, and the command line that closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.incident import Origin, findings, known_of
from gonka_state.core.units import human_age, show_moment
from gonka_state.views.changes import render_changes
from gonka_state.views.human import missing_lines
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.change import Change
    from gonka_state.core.incident import Seen
    from gonka_state.core.plan import HostLooked, Plan


def render_drift(
    plan: Plan, commands: Sequence[str], style: Style, now: float, *, verbose: bool = False
) -> str:
    """One cluster that is not in sync; its last line is the summary. `now` in seconds since 1970."""
    title = f"{plan.cluster} · {'LAB' if plan.lab else 'PRODUCTION'}"
    lines = [style.paint(title, "cyan" if plan.lab else "bold")]
    subjects = {item.subject for item in findings(plan)}
    for looked in plan.hosts:
        if looked.host in subjects:
            lines += ["", style.paint(looked.host, "bold"), *_silent(looked, plan, style, now)]
        mine = [c for c in plan.changes if c.address.host == looked.host and str(c.address) in subjects]
        if mine:
            lines += ["", style.paint(looked.host, "bold")]
            lines += render_changes(
                mine, style, verbose=verbose, texts=verbose, first=lambda change: _since(change, plan, now)
            )
    lines += missing_lines(plan, style)
    if commands:
        lines += ["", style.paint("to close it", "bold"), *(f"  {command}" for command in commands)]
    return "\n".join([*lines, "", drift_summary(plan)])


def _silent(looked: HostLooked, plan: Plan, style: Style, now: float) -> list[str]:
    count = sum(1 for change in plan.changes if change.address.host == looked.host)
    seen = plan.seen.get(looked.host)
    said = [_moment(seen, now) if seen else "", looked.hint]
    said += [f"{count} resources of it are unknown"] if count else []
    lines = [f"  {style.paint('?', 'cyan')} unknown: {clean(looked.unknown)}"]
    return lines + [f"      {style.paint(clean(text), 'dim')}" for text in said if text]


def _since(change: Change, plan: Plan, now: float) -> str:
    seen = known_of(change, plan.seen)
    if seen is None:
        return ""
    why = ": the YAML changed, or it was never in sync" if seen.origin is Origin.PENDING else ""
    return f"{_moment(seen, now)}{why}"


def _moment(seen: Seen, now: float) -> str:
    age = now - seen.since
    when = f"{show_moment(seen.since)}, {human_age(age)} ago" if age >= 1 else "this check"
    return f"{seen.origin} since {when}"


def drift_summary(plan: Plan) -> str:
    """The last line: how many of each, and what is in sync."""
    seen = [plan.seen.get(item.subject) for item in findings(plan) if not item.unknown]
    origins = [known.origin if known else None for known in seen]
    said = ((Origin.DRIFT, "drifted"), (Origin.PENDING, "pending"), (None, "differ, nobody knows since when"))
    counts = [f"{origins.count(origin)} {word}" for origin, word in said if origin in origins]
    nothing = "nothing is known to differ" if plan.unknown else "nothing differs"
    parts = [", ".join(counts) or nothing]
    may = sum(1 for change in plan.pending if change.conditional)
    parts += [f"{len(plan.unknown)} unknown", f"{plan.in_sync} in sync"]
    parts += [f"{may} may follow"] if may else []
    parts += [f"{len(plan.maintained)} in maintenance"] if plan.maintained else []
    return f"Drift: {'; '.join(parts)} ({len(plan.hosts)} hosts, {plan.seconds:.1f} s)"
