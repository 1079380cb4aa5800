"""Selectors: short names, subjects, and errors that name the nearest valid word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.engine.retry import LONGEST, pauses
from gonka_state.engine.select import check_selectors, select
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from tests.engine.conftest import Paper

    Wish = Desired[object]


@pytest.fixture
def filled(paper: Paper) -> Paper:
    paper.hosts = ("paper-network", "paper-ml-01", "elsewhere")
    paper.note("paper-network", "node-1", about="paper-ml-01")
    paper.note("paper-network", "own")
    paper.note("paper-ml-01", "a")
    paper.copy("paper-ml-01", "c", of="a")
    paper.note("elsewhere", "e")
    return paper


def chosen(paper: Paper, hosts: tuple[str, ...] = (), kinds: tuple[str, ...] = ()) -> list[str] | None:
    found = select(paper.desired, hosts=hosts, kinds=kinds)
    return None if found is None else sorted(map(str, found))


def test_no_selector_means_everything(filled: Paper) -> None:
    assert chosen(filled) is None


@pytest.mark.parametrize("name", ["ml-01", "paper-ml-01"])
def test_a_host_includes_what_is_about_it(filled: Paper, name: str) -> None:
    assert chosen(filled, (name,)) == [
        "paper-ml-01/copy:c",
        "paper-ml-01/note:a",
        "paper-network/note:node-1",
    ]


def test_host_and_kind_must_both_hold(filled: Paper) -> None:
    assert chosen(filled, ("ml-01",), ("copy",)) == ["paper-ml-01/copy:c"]
    assert chosen(filled, (), ("copy",)) == ["paper-ml-01/copy:c"]
    assert chosen(filled, ("elsewhere", "network"), ("note",)) == [
        "elsewhere/note:e",
        "paper-network/note:node-1",
        "paper-network/note:own",
    ]


def test_a_selection_looks_only_at_the_hosts_it_needs(filled: Paper) -> None:
    selected = select(filled.desired, hosts=("network",), kinds=())

    assert filled.comparer(selected=selected).hosts() == ["paper-network"]
    assert filled.comparer().hosts() == list(filled.hosts)


def test_what_a_selection_needs_elsewhere_is_looked_at_and_nothing_else_there(filled: Paper) -> None:
    need = filled.note("elsewhere", "need")
    filled.note("paper-network", "node-2", needs=("elsewhere/note:need",))

    def looked(*hosts: str) -> tuple[list[str], list[str]]:
        comparer = filled.comparer(selected=select(filled.desired, hosts=hosts, kinds=()))
        asked = [str(address) for address in comparer.asked.resources if address.host == need.host]
        return comparer.hosts(), asked

    assert looked("network") == (["paper-network", "elsewhere"], [str(need)])
    assert looked("ml-01") == (["paper-network", "paper-ml-01"], [])
    assert looked("elsewhere") == (["elsewhere"], ["elsewhere/note:e", str(need)])


@pytest.mark.parametrize(
    ("hosts", "kinds", "said"),
    [
        (("ml-02",), (), "--host ml-02: no such host; did you mean ml-01?"),
        (
            ("zzz",),
            (),
            "--host zzz: no such host; there are: elsewhere, ml-01, network, paper-ml-01, paper-network",
        ),
        ((), ("notes",), "--kind notes: no such kind; did you mean note?"),
        ((), ("zzz",), "--kind zzz: no such kind; there are: copy, note, reply, requirement"),
        (("elsewhere",), ("copy",), "--host, --kind and --only together match no declared resource"),
        ((), ("reply",), "--host, --kind and --only together match no declared resource"),
    ],
)
def test_a_selector_that_means_nothing_is_an_error(
    filled: Paper, hosts: tuple[str, ...], kinds: tuple[str, ...], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        check_selectors([filled.desired], hosts=hosts, kinds=kinds, known_kinds=list(filled.kinds))

    assert caught.value.problems == (said,)


def test_every_wrong_selector_is_named_at_once(filled: Paper) -> None:
    with pytest.raises(InputError) as caught:
        check_selectors([filled.desired], hosts=("x", "y"), kinds=("z",), known_kinds=list(filled.kinds))

    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("hosts", "kinds"), [((), ()), (("ml-01",), ()), ((), ("note",)), (("elsewhere",), ("note",))]
)
def test_a_selector_that_means_something_passes(
    filled: Paper, hosts: tuple[str, ...], kinds: tuple[str, ...]
) -> None:
    check_selectors([filled.desired], hosts=hosts, kinds=kinds, known_kinds=list(filled.kinds))


def test_a_selector_may_match_in_one_cluster_only(filled: Paper, paper: Paper) -> None:
    check_selectors([filled.desired], hosts=("elsewhere",), kinds=(), known_kinds=list(paper.kinds))


def test_tries_are_bounded_and_further_and_further_apart() -> None:
    assert list(pauses(0)) == [0.0]
    assert list(pauses(7)) == [0.0, 0.5, 1.0, 2.0, 4.0, LONGEST, LONGEST, LONGEST]
