"""The order: needs first, then rank, the same whatever the order of input, and circles are named."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.order import Edge, in_order
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from random import Random


def at(number: int) -> Address:
    return Address(f"h{number % 2}", f"k{number % 3}", str(number))


@st.composite
def graphs(draw: st.DrawFn) -> dict[Address, list[Edge]]:
    """Needs without a circle: each address may need only earlier ones."""
    size = draw(st.integers(0, 8))
    return {
        at(number): [
            Edge(at(on)) for on in draw(st.sets(st.integers(0, number - 1)) if number else st.just(set()))
        ]
        for number in range(size)
    }


@given(edges=graphs(), random=st.randoms(use_true_random=False), ranked=st.booleans())
def test_every_need_comes_first_and_input_order_does_not_matter(
    edges: dict[Address, list[Edge]], random: Random, *, ranked: bool
) -> None:
    rank = {address: (len(address.name), int(address.name)) for address in edges} if ranked else {}
    ordered = in_order(edges, rank)
    shuffled = list(edges.items())
    random.shuffle(shuffled)

    assert sorted(ordered) == sorted(edges)
    assert all(
        ordered.index(edge.on) < ordered.index(address) for address, needs in edges.items() for edge in needs
    )
    assert in_order({address: needs[::-1] for address, needs in shuffled}, rank) == ordered


def test_free_ones_run_by_rank_and_then_by_name() -> None:
    edges: dict[Address, list[Edge]] = {at(number): [] for number in (5, 1, 3)}

    assert in_order(edges, {at(5): (0,), at(1): (1,), at(3): (0,)}) == [at(3), at(5), at(1)]


def test_what_is_needed_and_not_declared_is_in_the_order_too() -> None:
    assert in_order({at(1): [Edge(at(0))]}, {}) == [at(0), at(1)]


def test_a_circle_is_named() -> None:
    circle = {at(0): [Edge(at(1))], at(1): [Edge(at(2))], at(2): [Edge(at(0))]}

    with pytest.raises(InputError, match="needs go in a circle") as caught:
        in_order(circle, {})
    said = caught.value.problems[0].removeprefix("needs go in a circle: ").split(" needs ")
    needs = {str(address): str(edges[0].on) for address, edges in circle.items()}
    assert said[0] == said[-1]
    assert all(needs[one] == other for one, other in itertools.pairwise(said))
