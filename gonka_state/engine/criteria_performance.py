"""The plan's performance benchmarks as checks: an answer through each node, and how long its model took to load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.checklist import Check, Verdict
from gonka_state.facts import completions
from gonka_state.facts.snapshot import Section

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.core.desired import Desired, Limits
    from gonka_state.core.plan import Plan
    from gonka_state.facts.completions import Completion
    from gonka_state.facts.snapshot import HostLook
    from gonka_state.resources.base import Resource

SPARE = 15
"""Seconds beyond the slowest answer before the section is given up."""


def section(desired: Desired[Resource], plan: Plan, host: str) -> Section | None:
    """What asks every declared node for the model that it has loaded, or its first; None where there is no node."""
    loaded = {note.name: str(note.values.get("model") or "") for note in plan.notes if note.host == host}
    asked = [(node, loaded.get(node.name) or min(node.models)) for node in completions.nodes(desired, host)]
    if not asked:
        return None
    return Section(completions.SECTION, completions.script(asked), completions.WAIT + SPARE, root=True)


def checks(desired: Desired[Resource], look: HostLook, host: str) -> Iterator[Check]:
    """Up to two checks per node."""
    names = [node.name for node in completions.nodes(desired, host)]
    found = completions.read(look, names)
    if isinstance(found, str):
        yield Check("performance", Verdict.UNKNOWN, found)
        return
    for one in found:
        yield _answer(one, desired.limits)
        if one.load_seconds is not None:
            yield _load(one, one.load_seconds, desired.limits)


def _answer(one: Completion, limits: Limits) -> Check:
    name = f"completion of {one.node}"
    if one.problem:
        hint = "a node without a loaded model answers nothing: what does its own check say?"
        return Check(name, Verdict.FAILED, one.problem, hint)
    evidence = f"{one.tokens} tokens in {one.seconds:.2f} s, {one.speed:.0f} tokens/s"
    if one.seconds > limits.latency:
        hint = f"limits.latency is {limits.latency:g} s; is the node busy? On its host: nvidia-smi"
        return Check(name, Verdict.FAILED, evidence, hint)
    return Check(name, Verdict.OK, evidence)


def _load(one: Completion, seconds: float, limits: Limits) -> Check:
    name, evidence = f"load time of {one.node}", f"{seconds:.0f} s when it was last loaded"
    if seconds > limits.load:
        hint = f"limits.load is {limits.load:g} s: a slow disk under the model cache?"
        return Check(name, Verdict.FAILED, evidence, hint)
    return Check(name, Verdict.OK, evidence)
