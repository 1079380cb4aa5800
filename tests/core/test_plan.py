"""Settling a plan: what is stuck holds what needs it and nothing else, and order of input never matters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change, Effect
from gonka_state.core.gates import Gates
from gonka_state.core.order import Edge
from gonka_state.core.plan import NOT_SELECTED, HostLooked, Plan, settle

KINDS = ("requirement", "file", "compose-service")
AT = Address("h", "file", "0")
STUCK = {
    "unknown": Change(AT, Action.UNKNOWN),
    "human": Change(AT, Action.UPDATE, human=True),
    "held": Change(AT, Action.UPDATE, held="would cut off this SSH connection"),
    "without consent": Change(AT, Action.DELETE, effect=Effect.DESTRUCTIVE),
}
ANY = [*(Change(AT, action) for action in Action), *STUCK.values()]


def at(number: int) -> Address:
    return Address("h", KINDS[number % 3], str(number))


@dataclass(frozen=True)
class Case:
    """Changes and their needs; addresses need only earlier ones, so there is no circle."""

    changes: dict[Address, Change]
    edges: dict[Address, list[Edge]]

    def settle(self, *, backwards: bool = False) -> tuple[Change, ...]:
        """The plan, from the case as it is or with every order of input turned round."""
        step = -1 if backwards else 1
        return settle(
            dict(list(self.changes.items())[::step]),
            {address: needs[::step] for address, needs in list(self.edges.items())[::step]},
            {},
            pending_on={},
        )

    def above(self, address: Address, through: set[Address]) -> set[Address]:
        """Everything that needs `address`, directly or through members of `through`."""
        found: set[Address] = set()
        for other, needs in self.edges.items():
            if any(edge.on == address or (edge.on in found & through) for edge in needs):
                found.add(other)
        return found


@st.composite
def cases(draw: st.DrawFn) -> Case:
    size = draw(st.integers(1, 8))
    changes: dict[Address, Change] = {}
    edges: dict[Address, list[Edge]] = {}
    for number in range(size):
        changes[at(number)] = replace(draw(st.sampled_from(ANY)), address=at(number))
        edges[at(number)] = [
            Edge(at(on), draw(st.booleans()))
            for on in sorted(draw(st.sets(st.integers(0, number - 1))) if number else ())
        ]
    return Case(changes, edges)


@given(cases())
def test_the_plan_is_the_same_twice_and_in_any_order(case: Case) -> None:
    assert set(case.settle()) == set(case.settle(backwards=True))
    assert [change.address for change in case.settle()] == [c.address for c in case.settle(backwards=True)]
    assert case.settle() == case.settle()


@given(cases(), st.data())
@pytest.mark.parametrize("why", STUCK)
def test_what_is_stuck_holds_all_that_needs_it_and_nothing_else(
    why: str, case: Case, data: st.DataObject
) -> None:
    victim = data.draw(st.sampled_from(sorted(case.changes)))
    fine = Case({**case.changes, victim: Change(victim, Action.NONE)}, case.edges)
    stuck = Case({**case.changes, victim: replace(STUCK[why], address=victim)}, case.edges)
    # A resource in sync stops the chain: what needs it has what it needs.
    differing = {address for address, change in case.changes.items() if change.pending}

    before = {change.address: change for change in fine.settle()}
    after = {change.address: change for change in stuck.settle()}

    for address in case.changes.keys() - {victim}:
        if (
            after[address].pending
            and not after[address].conditional
            and address in stuck.above(victim, differing)
        ):
            assert after[address].held
        if address not in stuck.above(victim, set(case.changes)):
            assert after[address] == before[address]


@given(cases())
def test_nothing_runs_before_what_it_needs_is_in_place(case: Case) -> None:
    settled = {change.address: change for change in case.settle()}
    order = list(settled)

    assert set(settled) == set(case.changes)
    for address, change in settled.items():
        for edge in case.edges[address]:
            need = settled[edge.on]
            assert order.index(edge.on) < order.index(address)
            if change.runnable and not change.conditional:
                assert need.action is Action.NONE or need.runnable


@given(cases())
def test_settling_never_makes_a_step_out_of_what_is_in_sync_or_unknown(case: Case) -> None:
    for change in case.settle():
        before = case.changes[change.address]
        assert change.action is before.action or (change.conditional and before.action is Action.NONE)


NEED, MINE = at(1), at(2)


def one(need: Change, mine: Change, *, refresh: bool = False, pending_on: str = "") -> Change:
    changes = {NEED: need, MINE: mine}
    waiting = {MINE: pending_on} if pending_on else {}
    return settle(changes, {MINE: [Edge(NEED, refresh)], NEED: []}, {}, pending_on=waiting)[-1]


@pytest.mark.parametrize(
    ("need", "why"),
    [
        (Change(NEED, Action.UNKNOWN), "waits for h/file:1, which is unknown"),
        (Change(NEED, Action.UPDATE, human=True), "waits for h/file:1, which only a human closes"),
        (Change(NEED, Action.UPDATE, held="no"), "waits for h/file:1, which is held"),
        (Change(NEED, Action.UPDATE, held=NOT_SELECTED), "waits for h/file:1, which was not selected"),
        (Change(NEED, Action.UPDATE, human=True, warning=True), ""),
        (Change(NEED, Action.UPDATE), ""),
        (Change(NEED, Action.NONE), ""),
    ],
)
def test_the_plan_says_what_is_waited_for(need: Change, why: str) -> None:
    assert one(need, Change(MINE, Action.CREATE)).held == why


@pytest.mark.parametrize(
    "need",
    [
        Change(NEED, Action.UNKNOWN),
        Change(NEED, Action.CREATE, human=True),
        Change(NEED, Action.CREATE, held="no"),
    ],
)
def test_what_is_needed_only_at_first_holds_back_the_making_and_nothing_else(need: Change) -> None:
    held = {}
    for action in (Action.CREATE, Action.UPDATE, Action.DELETE):
        changes = {NEED: need, MINE: Change(MINE, action)}
        settled = settle(changes, {MINE: [Edge(NEED, first=True)]}, {}, pending_on={})
        held[action] = bool(settled[-1].held)

    assert held == {Action.CREATE: True, Action.UPDATE: False, Action.DELETE: False}


@pytest.mark.parametrize(("why", "waits"), [(NOT_SELECTED, False), ("needs --allow destructive", True)])
def test_a_loose_need_holds_nothing_back_where_it_was_left_out(*, why: str, waits: bool) -> None:
    changes = {NEED: Change(NEED, Action.CREATE, held=why), MINE: Change(MINE, Action.CREATE)}

    settled = settle(changes, {MINE: [Edge(NEED, loose=True)]}, {}, pending_on={})
    assert bool(settled[-1].held) == waits


def test_what_says_that_it_blocks_nothing_holds_back_only_what_cannot_be_taken_back() -> None:
    need = Change(NEED, Action.UPDATE, human=True, blocks=False)

    assert need.pending
    assert one(need, Change(MINE, Action.CREATE)).runnable
    assert one(need, Change(MINE, Action.CREATE, effect=Effect.IRREVERSIBLE)).held


def test_its_own_reason_is_kept() -> None:
    assert one(Change(NEED, Action.UNKNOWN), Change(MINE, Action.UPDATE, held="no")).held == "no"


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE, Action.DELETE])
def test_what_is_made_from_something_that_changes_may_follow(action: Action) -> None:
    change = one(Change(NEED, action), Change(MINE, Action.NONE), refresh=True)

    assert change.conditional
    assert change.runnable
    assert change.reason == "may follow file:1"


@pytest.mark.parametrize(
    "need",
    [
        Change(NEED, Action.NONE),
        Change(NEED, Action.UNKNOWN),
        Change(NEED, Action.UPDATE, held="no"),
        Change(NEED, Action.UPDATE, human=True),
    ],
)
def test_nothing_follows_what_does_not_run(need: Change) -> None:
    assert one(need, Change(MINE, Action.NONE), refresh=True).action is Action.NONE


def test_nothing_follows_a_plain_need() -> None:
    assert one(Change(NEED, Action.UPDATE), Change(MINE, Action.NONE)).action is Action.NONE


def test_what_a_planned_step_makes_known_is_planned_with_it() -> None:
    unknown = Change(MINE, Action.UNKNOWN, reason="the API does not answer", hint="start it")

    change = one(Change(NEED, Action.CREATE), unknown, pending_on="file")

    assert (change.action, change.conditional, change.held) == (Action.UPDATE, True, "")
    assert (change.reason, change.hint) == ("known after file:1", "")


@pytest.mark.parametrize(
    ("need", "pending_on"),
    [
        (Change(NEED, Action.CREATE), ""),
        (Change(NEED, Action.CREATE), "node"),
        (Change(NEED, Action.NONE), "file"),
        (Change(NEED, Action.UNKNOWN), "file"),
        (Change(NEED, Action.CREATE, held=NOT_SELECTED), "file"),
    ],
)
def test_else_it_stays_unknown(need: Change, pending_on: str) -> None:
    unknown = Change(MINE, Action.UNKNOWN, reason="the API does not answer")

    assert one(need, unknown, pending_on=pending_on) == unknown


@pytest.mark.parametrize("words", [{"held": "no"}, {"human": True}])
def test_what_a_held_step_would_make_known_waits_with_it(words: dict[str, Any]) -> None:
    unknown = Change(MINE, Action.UNKNOWN, reason="the API does not answer")

    change = one(Change(NEED, Action.CREATE, **words), unknown, pending_on="file")

    assert (change.action, change.conditional, change.runnable) == (Action.UPDATE, True, False)
    assert change.held.startswith("waits for ")


def test_a_consent_lets_a_destructive_step_and_what_needs_it_run() -> None:
    changes = {
        NEED: Change(NEED, Action.DELETE, effect=Effect.DESTRUCTIVE),
        MINE: Change(MINE, Action.CREATE),
    }
    edges = {MINE: [Edge(NEED)], NEED: []}

    without = settle(changes, edges, {}, pending_on={})
    allowed = settle(changes, edges, {}, pending_on={}, gates=Gates(["destructive"]))

    assert [change.held for change in without] == [
        "needs --allow destructive",
        f"waits for {NEED}, which is held",
    ]
    assert [change.held for change in allowed] == ["", ""]


def test_needs_that_nobody_declared_hold_nothing() -> None:
    assert settle({MINE: Change(MINE, Action.UPDATE)}, {MINE: [Edge(NEED)]}, {}, pending_on={})[0].runnable


def test_a_plan_sorts_its_changes_by_what_becomes_of_them() -> None:
    update, held = Change(at(0), Action.UPDATE), Change(at(1), Action.UPDATE, held="no")
    unknown, warning = Change(at(2), Action.UNKNOWN), Change(at(3), Action.UPDATE, human=True, warning=True)
    plan = Plan("c", lab=False, hosts=(), changes=(update, held, unknown, warning), in_sync=0)

    assert plan.pending == (update, held)
    assert plan.runnable == (update,)
    assert plan.unknown == (unknown,)


@pytest.mark.parametrize(
    ("reasons", "blind"), [([], False), ([""], False), (["off", ""], False), (["off"], True)]
)
def test_blind_is_who_saw_no_host_at_all(reasons: list[str], *, blind: bool) -> None:
    hosts = tuple(HostLooked(str(number), unknown=reason) for number, reason in enumerate(reasons))

    assert Plan("c", lab=False, hosts=hosts, changes=(), in_sync=0).blind is blind
