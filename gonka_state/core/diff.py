"""Desired attributes against an observation. The only user of deepdiff."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action, AttributeChange
from gonka_state.core.observation import Absent, Observation, Unknown, Value

if TYPE_CHECKING:
    from collections.abc import Mapping


def compare(
    desired: Mapping[str, Value], observation: Observation, *, wanted_absent: bool = False
) -> tuple[Action, tuple[AttributeChange, ...]]:
    """Decide the action and explain it attribute by attribute.

    Only declared attributes are compared: what the observation knows beyond them is unmanaged.
    """
    if isinstance(observation, Unknown):
        return Action.UNKNOWN, ()
    if isinstance(observation, Absent):
        return (Action.NONE if wanted_absent else Action.CREATE), ()
    if wanted_absent:
        return Action.DELETE, ()
    changes = _differences(desired, observation.attributes)
    return (Action.UPDATE if changes else Action.NONE), changes


def _differences(desired: Mapping[str, Value], observed: Mapping[str, Value]) -> tuple[AttributeChange, ...]:
    found: list[AttributeChange] = []
    for name in sorted(desired):
        after, before = desired[name], observed.get(name)
        if before == after and type(before) is type(after):
            continue
        found.extend(_explain(name, before, after))
    return tuple(found)


def _explain(name: str, before: Value, after: Value) -> list[AttributeChange]:
    """Path-level differences of one attribute; whole values where the shapes are not maps."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [AttributeChange(name, before, after)]
    # Imported here because it costs a third of a second and most runs find no difference.
    from deepdiff import DeepDiff  # noqa: PLC0415

    # With the default threshold maps that share few keys are reported as one whole value.
    tree = DeepDiff(before, after, view="tree", threshold_to_diff_deeper=0)
    found: dict[str, AttributeChange] = {}
    for levels in tree.values():
        for level in levels:
            keys = level.path(output_format="list")
            path = _map_prefix(after, before, keys)
            label = ".".join((name, *path))
            found[label] = AttributeChange(label, _at(before, path), _at(after, path))
    return [found[label] for label in sorted(found)]


def _map_prefix(after: Value, before: Value, keys: list[Value]) -> tuple[str, ...]:
    """The part of a path that goes through maps: a list that differs is shown whole."""
    prefix: list[str] = []
    for key in keys:
        if not (isinstance(after, dict) or isinstance(before, dict)):
            break
        prefix.append(str(key))
        after = after.get(key) if isinstance(after, dict) else None
        before = before.get(key) if isinstance(before, dict) else None
    return tuple(prefix)


def _at(value: Value, path: tuple[str, ...]) -> Value:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return None
        value = value[key]
    return value
