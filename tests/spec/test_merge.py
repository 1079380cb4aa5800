"""Maps merge, lists replace, null unsets, and one condition takes the place of another."""

from __future__ import annotations

from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.desired import Source
from gonka_state.spec.merge import ALTERNATIVES, hollow, merge, settle
from gonka_state.spec.tree import Node

WHERE = Source("f", 1)
ANY_OF = {name for ways in ALTERNATIVES for way in ways for name in way}


def tree(value: Any, file: str = "f") -> Node:  # noqa: ANN401  (any plain value)
    where = Source(file, 1)
    if isinstance(value, dict):
        return Node(where, entries={name: tree(inner, file) for name, inner in value.items()})
    if isinstance(value, list):
        return Node(where, items=tuple(tree(inner, file) for inner in value))
    return Node(where, scalar=value, raw=str(value))


def merged(*layers: Any) -> Any:  # noqa: ANN401  (any plain value)
    return settle(reduce(merge, map(tree, layers))).plain()


names = st.sampled_from(["a", "b", "c", "d"])
leaves = st.one_of(st.integers(), st.text(max_size=3), st.booleans(), st.lists(st.integers(), max_size=2))
maps = st.recursive(
    st.dictionaries(names, leaves, max_size=3),
    lambda inner: st.dictionaries(names, inner | leaves, max_size=3),
)


@st.composite
def same_shapes(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Three layers that agree on what is a map: `x` keys hold maps, others never do."""
    level = st.dictionaries(names, leaves, max_size=3)
    layer = st.fixed_dictionaries(
        {}, optional={"x": st.fixed_dictionaries({}, optional={"x": level, "a": leaves}), "b": leaves}
    )
    return draw(layer), draw(layer), draw(layer)


@given(same_shapes())
def test_how_layers_are_grouped_does_not_matter(layers: tuple[Any, Any, Any]) -> None:
    a, b, c = map(tree, layers)
    assert merge(merge(a, b), c).plain() == merge(a, merge(b, c)).plain()


@given(maps, maps)
def test_later_wins_wherever_it_says_something(base: Any, top: Any) -> None:  # noqa: ANN401
    def holds(result: Any, wish: Any) -> bool:  # noqa: ANN401
        if not isinstance(wish, dict):
            return bool(result == wish)
        return isinstance(result, dict) and all(
            name in result and holds(result[name], wish[name]) for name in wish
        )

    assert holds(merged(base, top), top)


@given(maps)
def test_a_layer_over_itself_or_over_nothing_changes_nothing(layer: Any) -> None:  # noqa: ANN401
    assert merged(layer, layer) == merged({}, layer) == merged(layer, {}) == layer


@given(maps, names)
def test_null_unsets(base: Any, name: str) -> None:  # noqa: ANN401
    assert merged(base, {name: None}) == {key: value for key, value in base.items() if key != name}


@given(maps, names, maps)
def test_what_null_unset_can_be_set_anew(base: Any, name: str, top: Any) -> None:  # noqa: ANN401
    assert merged(base, {name: None}, {name: top})[name] == top


def test_lists_replace() -> None:
    assert merged({"a": [1, 2]}, {"a": [3]}) == {"a": [3]}


def test_another_condition_replaces_the_earlier_one() -> None:
    assert merged({"minimum": 8, "level": "warn"}, {"equals": 2}) == {"equals": 2, "level": "warn"}


def test_another_reference_replaces_the_earlier_one() -> None:
    assert merged({"p": {"env": "A"}}, {"p": {"file": "b"}}) == {"p": {"file": "b"}}
    assert merged({"p": {"env": "A"}}, {"p": "plain"}) == {"p": "plain"}


def test_maps_are_never_alternatives() -> None:
    hosts = {"env": {"address": "1"}}
    assert merged({"hosts": hosts}, {"hosts": {"file": {"address": "2"}}}) == {
        "hosts": {"env": {"address": "1"}, "file": {"address": "2"}}
    }


def test_a_merged_value_keeps_the_place_it_came_from() -> None:
    both = merge(tree({"a": 1, "b": {"c": 1}}, "low"), tree({"b": {"d": 2}}, "top"))
    assert [both.deepest(path).source.file for path in (["a"], ["b", "c"], ["b", "d"])] == [
        "low",
        "low",
        "top",
    ]


def test_a_null_that_unsets_nothing_is_found() -> None:
    low, top = (
        tree({"services": {"api": {}}}),
        tree({"services": {"api": None, "node": None}, "endpoint": None}),
    )
    assert len(list(hollow(merge(low, top)))) == 1


def test_both_ends_of_a_range_stay_and_another_condition_takes_them_back() -> None:
    both = {"minimum": "12.6", "maximum": "12.9"}
    assert merged(both, {"maximum": "13.0"}) == {"minimum": "12.6", "maximum": "13.0"}
    assert merged(both, {"equals": "12.8"}) == {"equals": "12.8"}
    assert merged({"equals": "12.8"}, both) == both


def test_the_names_that_exclude_each_other_are_known() -> None:
    assert {"minimum", "template", "env"} <= ANY_OF
    assert WHERE.line == 1
