"""The comparison: nothing differs from itself, the undeclared never matters, a plan explains the gap."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.change import Action, AttributeChange
from gonka_state.core.diff import compare
from gonka_state.core.observation import Absent, Present, Unknown

KEYS = st.sampled_from("abcd")
# In the wish nothing is null: null means unset, and unset is not compared.
SCALARS = st.booleans() | st.integers(2, 4) | st.sampled_from(["", "x", "1", "a.b"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
DECLARED = st.dictionaries(KEYS, VALUES, max_size=4)
OBSERVED = st.dictionaries(KEYS, st.none() | VALUES, max_size=4)


def apply(observed: dict[str, Any], changes: tuple[AttributeChange, ...]) -> dict[str, Any]:
    """What an operation does that is told exactly these changes: set each path to its `after`."""
    result = copy.deepcopy(observed)
    for change in changes:
        *path, last = change.name.split(".")
        place = result
        for key in path:
            place = place[key]
        if change.after is None and path:
            place.pop(last, None)
        else:
            place[last] = copy.deepcopy(change.after)
    return result


@given(DECLARED)
def test_nothing_differs_from_itself(declared: dict[str, Any]) -> None:
    assert compare(declared, Present(copy.deepcopy(declared))) == (Action.NONE, ())


@given(DECLARED, OBSERVED, OBSERVED)
def test_what_is_not_declared_never_matters(
    declared: dict[str, Any], observed: dict[str, Any], more: dict[str, Any]
) -> None:
    undeclared = {f"undeclared-{key}": value for key, value in more.items()}

    assert compare(declared, Present(observed | undeclared)) == compare(declared, Present(observed))


@given(DECLARED, OBSERVED)
def test_after_the_changes_nothing_differs(declared: dict[str, Any], observed: dict[str, Any]) -> None:
    action, changes = compare(declared, Present(observed))

    assert (action is Action.NONE) == (not changes)
    assert compare(declared, Present(apply(observed, changes))) == (Action.NONE, ())


@given(DECLARED, OBSERVED)
def test_the_answer_is_the_same_twice_and_in_any_order(
    declared: dict[str, Any], observed: dict[str, Any]
) -> None:
    backwards = dict(reversed(declared.items())), dict(reversed(observed.items()))

    assert compare(declared, Present(observed)) == compare(backwards[0], Present(backwards[1]))


@given(DECLARED, OBSERVED)
def test_the_inputs_stay_as_they_are(declared: dict[str, Any], observed: dict[str, Any]) -> None:
    before = copy.deepcopy((declared, observed))
    compare(declared, Present(observed))

    assert (declared, observed) == before


@pytest.mark.parametrize(
    ("seen", "absent", "action"),
    [
        (Unknown("no answer"), False, Action.UNKNOWN),
        (Unknown("no answer"), True, Action.UNKNOWN),
        (Absent(), False, Action.CREATE),
        (Absent(), True, Action.NONE),
        (Present({"mode": "0600"}), True, Action.DELETE),
        (Present({"mode": "0600"}), False, Action.UPDATE),
        (Present({"mode": "0644"}), False, Action.NONE),
    ],
)
def test_the_action_follows_from_what_is_seen_and_wanted(
    seen: Present | Absent | Unknown, *, absent: bool, action: Action
) -> None:
    assert compare({"mode": "0644"}, seen, wanted_absent=absent)[0] is action


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (["a"], ["b"], [("x", ["a"], ["b"])]),
        (1, True, [("x", 1, True)]),
        ({"k": 1}, "text", [("x", {"k": 1}, "text")]),
        ({"k": {"args": ["a"]}}, {"k": {"args": ["a", "b"]}}, [("x.k.args", ["a"], ["a", "b"])]),
        ({"k": {"args": [], "n": 1}}, {"k": {"args": [], "n": 2}}, [("x.k.n", 1, 2)]),
        ({"gone": 1}, {"new": 1}, [("x.gone", 1, None), ("x.new", None, 1)]),
        ({"k": [{"a": 1}]}, {"k": [{"a": 2}]}, [("x.k", [{"a": 1}], [{"a": 2}])]),
        ({"k": {"a": 1}}, {"k": 7}, [("x.k", {"a": 1}, 7)]),
        ({}, {"k": {"a": 1}}, [("x.k", None, {"a": 1})]),
    ],
)
def test_a_difference_is_named_by_its_path_and_lists_are_shown_whole(
    before: object, after: object, changes: list[tuple[str, object, object]]
) -> None:
    _, found = compare({"x": after}, Present({"x": before}))

    assert [(item.name, item.before, item.after) for item in found] == changes


def test_an_attribute_the_look_does_not_know_is_unset() -> None:
    assert compare({"owner": "root"}, Present({}))[1] == (AttributeChange("owner", None, "root"),)
