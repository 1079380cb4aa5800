"""docs/from-ansible.md against the plan's commands, roles, groups and variables, and against what exists here.

`plan_ansible.tsv` lists them by the plan's lines; the plan itself is not needed here.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gonka_state.cli.on_host import find
from gonka_state.engine.select import check_selectors
from gonka_state.registry import KINDS
from gonka_state.spec.inventory_remarks import NOT_TAKEN, TAKEN
from gonka_state.spec.load import load
from tests.plan_pages import ROOT, TO, deviations, lines_of, named, options, quoted, says, table

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

PAGE = ROOT / "docs/from-ansible.md"
COMMANDS_AT_LEAST = 30


class Row(NamedTuple):
    """One row of a table of the page."""

    lines: tuple[int, ...]
    there: tuple[str, ...]
    here: str
    remark: str


class Item(NamedTuple):
    """A command, role, tag, limit, extra variable, group, variable or setting of the plan."""

    line: int
    kind: str
    key: str


def _row(lines: str, there: str, here: str, remark: str) -> Row:
    numbers = [number for part in lines.split(", ") for number in lines_of(part)]
    return Row(tuple(numbers), tuple(quoted(there)), here, remark)


ROWS = [_row(*cells) for cells in table(PAGE)]
with (ROOT / "tests/plan_ansible.tsv").open(newline="") as index:
    ITEMS = [Item(int(one["line"]), one["item"], one["key"]) for one in csv.DictReader(index, delimiter="\t")]
of_rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.lines[0]}-{row.there[0][:20]}")


@cache
def _clusters() -> list[Desired[Resource]]:
    models = {name: kind.resource for name, kind in KINDS.items()}
    return load([ROOT / "desired"], models=models, env={}, resolve_commands=False)


def test_the_index_holds_what_an_operator_types_and_sets() -> None:
    kinds = [item.kind for item in ITEMS]

    assert set(kinds) == {
        "command", "role", "tag", "limit", "start", "extra", "group", "variable", "environment", "setting", "result",
    }  # fmt: skip
    assert kinds.count("command") > COMMANDS_AT_LEAST


def test_no_command_role_or_variable_of_the_plan_is_missing() -> None:
    told = {(line, key) for row in ROWS for line in row.lines for key in row.there}

    assert [item for item in ITEMS if (item.line, item.key) not in told] == []


@of_rows
def test_a_row_is_about_the_plan(row: Row) -> None:
    assert row.there
    for key in row.there:
        assert any(item.key == key and item.line in row.lines for item in ITEMS), (
            f"the plan has no {key} there"
        )
    for line in row.lines:
        assert any(item.line == line and item.key in row.there for item in ITEMS), (
            f"line {line} has none of these"
        )


@of_rows
def test_what_is_ours_exists(row: Row) -> None:
    names = quoted(row.here)
    assert names or (row.here == "nothing" and row.remark), "what has no counterpart says why"
    for name in names:
        if name.startswith("gonka-state "):
            _selects_something(name)
        elif name.startswith("--"):
            assert name in options()
        elif ".j2: " in name:
            template, _, text = name.partition(": ")
            assert text in (ROOT / "templates" / template).read_text()
        else:
            assert name in KINDS or says(name.split(": ")) or (ROOT / name).exists(), f"there is no {name}"


def _selects_something(text: str) -> None:
    """The command takes this line, and its selectors mean something in the plan's clusters."""
    *groups, command = named(text)
    given = command.make_context(text, text.split()[len(groups) + 1 :]).params
    phases = [int(phase.removeprefix("phase")) for phase in given.get("only", ())]
    if "host" in given:
        find(_clusters(), given["host"])
    hosts, kinds = given.get("hosts", ()), given.get("kinds", ())
    check_selectors(_clusters(), hosts=hosts, kinds=kinds, known_kinds=list(KINDS), phases=phases)


@of_rows
def test_what_the_plan_has_wrong_is_among_the_deviations(row: Row) -> None:
    numbers = {int(number) for number in re.findall(r"#(\d+)", f"{row.here} {row.remark}")}

    assert numbers <= deviations()


def test_what_import_says_it_knows_is_on_the_page_or_ansibles_own() -> None:
    told = {name.lower() for name in quoted(PAGE.read_text())}
    plans = {
        item.key.lower() for item in ITEMS if item.kind in {"variable", "setting", "environment", "extra"}
    }

    assert sorted((NOT_TAKEN.keys() | TAKEN) & plans - told) == []


def test_a_dash_is_a_range() -> None:
    assert list(lines_of(f"11{TO}14")) == [11, 12, 13, 14]
