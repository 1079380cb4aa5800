"""What a change may do, and how harm is ranked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change, Effect, worst
from gonka_state.core.gates import Gates

AT = Address("h", "file", "/a")
DIFFERS = [Action.CREATE, Action.UPDATE, Action.DELETE]


@given(st.lists(st.sampled_from(Effect)))
def test_the_worst_effect_is_one_of_them_and_no_milder_than_any(effects: list[Effect]) -> None:
    found = worst(effects)

    assert found in (effects or [Effect.SAFE])
    assert all(effect.rank <= found.rank for effect in effects)


@pytest.mark.parametrize("action", Action)
def test_only_a_difference_is_pending(action: Action) -> None:
    assert Change(AT, action).pending == (action in DIFFERS)


@pytest.mark.parametrize("action", DIFFERS)
def test_a_warning_asks_nobody_to_act(action: Action) -> None:
    assert not Change(AT, action, warning=True).pending


def test_what_is_held_or_left_to_a_human_does_not_run() -> None:
    assert Change(AT, Action.UPDATE).runnable
    assert not Change(AT, Action.UPDATE, held="needs --allow destructive").runnable
    assert not Change(AT, Action.UPDATE, human=True).runnable
    assert not Change(AT, Action.NONE).runnable


@pytest.mark.parametrize("effect", [Effect.IRREVERSIBLE, Effect.DESTRUCTIVE])
def test_what_cannot_be_taken_back_waits_for_a_consent_by_name(effect: Effect) -> None:
    change = Change(AT, Action.DELETE, effect=effect)

    assert Gates().hold(change).held == f"needs --allow {effect}"
    assert Gates(["something else"]).hold(change).held == f"needs --allow {effect}"
    assert Gates([str(effect)]).hold(change) == change


@pytest.mark.parametrize(
    "change",
    [
        Change(AT, Action.UPDATE, effect=Effect.SAFE),
        Change(AT, Action.UPDATE, effect=Effect.DISRUPTIVE),
        Change(AT, Action.NONE, effect=Effect.DESTRUCTIVE),
        Change(AT, Action.UNKNOWN, effect=Effect.DESTRUCTIVE),
        Change(AT, Action.DELETE, effect=Effect.DESTRUCTIVE, held="was not selected"),
        Change(AT, Action.DELETE, effect=Effect.DESTRUCTIVE, human=True),
    ],
)
def test_the_gate_leaves_everything_else_as_it_is(change: Change) -> None:
    assert Gates().hold(change) == change
