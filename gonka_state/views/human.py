"""Plans, reports and problems for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.report import Status
from gonka_state.views.changes import render_changes
from gonka_state.views.style import Style, clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.change import Change
    from gonka_state.core.plan import Plan
    from gonka_state.core.report import Outcome, Report


def header(plan: Plan, style: Style) -> str:
    """Which cluster this is about, and whether it is the real one."""
    where = "LAB" if plan.lab else "PRODUCTION"
    color = "cyan" if plan.lab else "bold"
    hosts = ", ".join(f"{name} {plan.addresses.get(name, '')}".strip() for name in plan.addresses)
    return f"{style.paint(f'{plan.cluster} · {where}', color)} · {style.fit(hosts, len(plan.cluster) + len(where) + 6)}"


def render_plan(
    plan: Plan,
    style: Style,
    *,
    unmanaged: bool = False,
    verbose: bool = False,
    further: Sequence[str] = (),
) -> str:
    """The whole plan; `further` lines stand before its last, the summary."""
    lines = [
        header(plan, style),
        *chain_lines(plan, style),
        *_hosts(plan, plan.changes, style, verbose=verbose),
    ]
    lines += missing_lines(plan, style)
    if unmanaged:
        lines += _unmanaged(plan, style)
    if verbose:
        lines += _notes(plan, style)
    return "\n".join([*lines, *further, "", summary(plan)])


def chain_lines(plan: Plan, style: Style) -> list[str]:
    """What the chain is doing, where that may hold something; and why the operator overruled it."""
    lines = [f"chain: {clean(plan.chain.words)}"] if plan.chain is not None and plan.chain.serving else []
    if plan.ignored_phase:
        lines.append(style.paint(f"the phase is ignored: {clean(plan.ignored_phase)}", "yellow"))
    return lines


def _hosts(plan: Plan, changes: Sequence[Change], style: Style, *, verbose: bool) -> list[str]:
    """Changes under their hosts; of a host that gave no answer only the reason, once."""
    lines: list[str] = []
    for looked in plan.hosts:
        mine = [change for change in changes if change.address.host == looked.host]
        if looked.unknown:
            lines += [
                "",
                style.paint(looked.host, "bold"),
                f"  {style.paint('?', 'cyan')} unknown: {clean(looked.unknown)}",
            ]
            said = looked.maintenance or looked.hint
            lines += [f"      {clean(said)}"] if said else []
            lines += [f"      {len(mine)} resources of it are unknown"] if mine else []
        elif mine:
            lines += ["", style.paint(looked.host, "bold")]
            lines += render_changes(mine, style, verbose=verbose)
    return lines


def missing_lines(plan: Plan, style: Style) -> list[str]:
    """The operator's values that are not set, under their heading."""
    if not plan.missing:
        return []
    return ["", style.paint("not set on this machine", "bold"), *(f"  {item}" for item in plan.missing)]


def _unmanaged(plan: Plan, style: Style) -> list[str]:
    if not plan.unmanaged:
        return ["", "nothing unmanaged was seen"]
    lines = ["", style.paint("unmanaged (not declared, no drift, never touched)", "bold")]
    return lines + [
        f"  {clean(f'{item.host}/{item.kind}:{item.name}')}  {style.paint(clean(item.detail), 'dim')}".rstrip()
        for item in plan.unmanaged
    ]


def _notes(plan: Plan, style: Style) -> list[str]:
    """What the cluster is now, as far as somebody told it."""
    if not plan.notes:
        return []
    width = max(len(note.name) for note in plan.notes)
    lines = [f"  {clean(note.name):<{width}}  {clean(note.text)}" for note in plan.notes]
    return ["", style.paint("now", "bold"), *lines]


def summary(plan: Plan) -> str:
    """The last line, always: counts, unknowns, what is in sync."""
    pending = [change for change in plan.pending if not change.conditional]
    count = {action: sum(1 for change in pending if change.action is action) for action in Action}
    parts = [
        f"{count[Action.CREATE]} to add, {count[Action.UPDATE]} to change, {count[Action.DELETE]} to remove",
        f"{len(plan.unknown)} unknown",
        f"{plan.in_sync} in sync",
    ]
    held = sum(1 for change in pending if change.held or change.human)
    may = sum(1 for change in plan.pending if change.conditional)
    warnings = sum(1 for change in plan.changes if change.warning and change.action is not Action.NONE)
    parts += [f"{may} may follow"] if may else []
    parts += [f"{held} held"] if held else []
    parts += [f"{warnings} warnings"] if warnings else []
    parts += [f"{len(plan.maintained)} in maintenance"] if plan.maintained else []
    parts += [f"{len(plan.unmanaged)} unmanaged"] if plan.unmanaged else []
    return f"Plan: {'; '.join(parts)} ({len(plan.hosts)} hosts, {plan.seconds:.1f} s)"


_STATUS_COLORS = {Status.CHANGED: "green", Status.SKIPPED: "yellow"}


def render_report(report: Report, style: Style, *, verbose: bool = False, command: str = "converge") -> str:
    """What a converge, or another command that changes hosts, did, and what is left."""
    lines: list[str] = []
    if report.plan.ignored_phase and report.outcomes:
        lines.append(style.paint(f"the phase was ignored: {clean(report.plan.ignored_phase)}", "yellow"))
    for outcome in report.outcomes:
        lines += _outcome_lines(outcome, style)
    left = [
        change
        for change in report.after.changes
        if change.pending or change.action is Action.UNKNOWN or change.maintenance
    ]
    done = {outcome.change.address for outcome in report.outcomes}
    rest = [change for change in left if change.address not in done]
    if rest:
        lines += ["", style.paint("left as it is", "bold")]
        lines += _hosts(report.after, rest, style, verbose=verbose)
    lines += _notes(report.after, style)
    summed = report_summary(report, command)
    return "\n".join([*lines, "", summed]) if lines else summed


def _outcome_lines(outcome: Outcome, style: Style) -> list[str]:
    status = style.paint(f"{outcome.status:<9}", _STATUS_COLORS.get(outcome.status, "red"))
    lines = [
        f"  {status} {clean(str(outcome.change.address))}  {style.paint(f'{outcome.seconds:.1f} s', 'dim')}"
    ]
    said = [*outcome.detail.splitlines(), *outcome.hint.splitlines()]
    lines += [f"            {clean(line)}" for line in said]
    return lines


def report_summary(report: Report, command: str = "converge") -> str:
    """The last line of a converge."""
    counts = [
        f"{report.count(status)} {status}"
        for status in Status
        if report.count(status) or status is Status.CHANGED
    ]
    left = len(report.after.pending)
    rest = (
        f"{left} left"
        if left
        else "in sync"
        if not report.after.unknown
        else f"{len(report.after.unknown)} unknown"
    )
    maintained = f", {len(report.after.maintained)} in maintenance" if report.after.maintained else ""
    return f"{command.capitalize()}: {', '.join(counts)}; {rest}{maintained} ({report.seconds:.1f} s)"


def render_problems(problems: Sequence[str], style: Style) -> str:
    """Input problems, each on its own."""
    return "\n".join(f"{style.paint('error:', 'red')} {problem}" for problem in problems)
