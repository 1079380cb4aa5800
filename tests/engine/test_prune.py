"""Pruning: only where a host names the kind, only what was seen, only with consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action
from gonka_state.core.report import Status
from gonka_state.engine.prune import pruning
from gonka_state.engine.select import select
from gonka_state.engine.told import judged
from gonka_state.facts.snapshot import HostLook
from tests.engine.test_compare import changes, snapshot

if TYPE_CHECKING:
    from gonka_state.engine.compare import Comparer
    from tests.engine.conftest import Paper

SEEN: dict[str, dict[str, str] | HostLook] = {
    "network": {"mine": "x", "stray": "y"},
    "ml-01": {"mine": "x", "stray": "y"},
}


@pytest.fixture
def pruned(paper: Paper) -> Paper:
    """A declared note on each host; the network host prunes notes."""
    paper.note("network", "mine", "x")
    paper.note("ml-01", "mine", "x")
    paper.prune["network"] = ("note",)
    return paper


def pruning_of(paper: Paper, looks: dict[str, dict[str, str] | HostLook], **words: object) -> Comparer:
    comparer = paper.comparer(**words)
    return pruning(comparer, snapshot(looks), lambda _: comparer.selected)


def test_what_nobody_declared_shall_be_absent_where_the_host_says_so(pruned: Paper) -> None:
    plan = pruning_of(pruned, SEEN).compare(snapshot(SEEN)).plan

    (change,) = plan.changes
    assert (str(change.address), change.action) == ("network/note:stray", Action.DELETE)
    assert change.reason == "nobody declared it, and prune names its kind"
    assert [f"{item.host}/{item.name}" for item in plan.unmanaged] == ["ml-01/stray"]


@pytest.mark.parametrize(
    "look",
    [HostLook(unknown="is off"), {"mine": "garbage", "stray": "y"}, {"mine": "x"}],
)
def test_nothing_is_pruned_that_was_not_seen(pruned: Paper, look: dict[str, str] | HostLook) -> None:
    comparer = pruned.comparer()

    assert pruning(comparer, snapshot({**SEEN, "network": look}), lambda _: None) is comparer


def test_a_kind_nobody_names_is_left(pruned: Paper) -> None:
    pruned.prune["network"] = ("copy",)

    assert pruning_of(pruned, SEEN).desired == pruned.desired


def test_a_selection_holds_for_what_is_pruned_too(pruned: Paper) -> None:
    def chosen(host: str) -> list[str]:
        comparer = pruned.comparer(selected=select(pruned.desired, hosts=[host], kinds=[]))
        both = pruning(comparer, snapshot(SEEN), lambda wish: select(wish, hosts=[host], kinds=[]))
        return list(changes(both.compare(snapshot(SEEN)).plan))

    assert chosen("network") == ["network/note:stray"]
    assert chosen("ml-01") == []


def test_those_who_judge_the_cluster_see_it_too(pruned: Paper) -> None:
    compared = pruning_of(pruned, SEEN).compare(snapshot(SEEN))

    found = [(item.name, str(change.action)) for item, change in judged(pruned.desired, compared, "network")]

    assert found == [("mine", "none"), ("stray", "delete")]


def test_a_converge_removes_it_and_looks_again(pruned: Paper) -> None:
    pruned.has("network", mine="x", stray="y")
    pruned.has("ml-01", mine="x", stray="y")

    report = pruned.converge()

    assert [(outcome.change.address, outcome.status) for outcome in report.outcomes] == [
        (Address("network", "note", "stray"), Status.CHANGED)
    ]
    assert (pruned.read("network", "stray"), pruned.read("ml-01", "stray")) == (None, "y")
    assert report.after.pending == ()
