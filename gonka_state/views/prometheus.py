"""Gauges for node_exporter's textfile collector, in Prometheus' text format 0.0.4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.incident import Origin, findings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonka_state.core.plan import Plan

_GAUGES: tuple[tuple[str, str, Callable[[Plan, float], float]], ...] = (
    ("in_sync", "Resources that are as declared.", lambda plan, _: plan.in_sync),
    (
        "pending",
        "Resources that differ from what is declared, whoever moved.",
        lambda plan, _: _differing(plan),
    ),
    (
        "drift",
        "Of those that differ, those whose wish stayed: the host moved.",
        lambda plan, _: _drifted(plan),
    ),
    ("unknown", "Resources that could not be looked at.", lambda plan, _: len(plan.unknown)),
    (
        "maintenance",
        "Resources left alone because somebody works on them.",
        lambda plan, _: len(plan.maintained),
    ),
    ("hosts_unknown", "Hosts that gave no answer.", lambda plan, _: _silent(plan)),
    ("last_check_timestamp_seconds", "When this check ended, in seconds since 1970.", lambda _, now: now),
    ("check_duration_seconds", "How long this check took.", lambda plan, _: plan.seconds),
)


def render_prometheus(plans: Sequence[Plan], now: float) -> str:
    """One gauge of each kind per cluster; `now` in seconds since 1970."""
    lines: list[str] = []
    for name, help_, value in _GAUGES:
        lines += [f"# HELP gonka_state_{name} {help_}", f"# TYPE gonka_state_{name} gauge"]
        lines += [
            f'gonka_state_{name}{{cluster="{escape(p.cluster)}"}} {_number(value(p, now))}' for p in plans
        ]
    return "".join(f"{line}\n" for line in lines)


def escape(value: str) -> str:
    """A label's value between its quotes."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"


def _differing(plan: Plan) -> int:
    return sum(1 for item in findings(plan) if not item.unknown)


def _drifted(plan: Plan) -> int:
    """What nobody knows the origin of, since the history cannot be read, counts: an alarm too many, not one too few."""
    known = [plan.seen.get(item.subject) for item in findings(plan) if not item.unknown]
    return sum(1 for seen in known if seen is None or seen.origin is not Origin.PENDING)


def _silent(plan: Plan) -> int:
    return sum(1 for looked in plan.hosts if looked.unknown and not looked.maintenance)
