"""docs/coverage.md and docs/deviations.md against what exists: no item of the deployment plan is left out.

`plan_items.tsv` lists the plan's items by line; the plan itself is not needed here.
"""

from __future__ import annotations

import ast
import csv
import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

from gonka_state.registry import KINDS
from tests.plan_pages import DEVIATIONS, ROOT, deviations, lines_of, named, options, quoted, says, table

if TYPE_CHECKING:
    from pathlib import Path

PAGE = ROOT / "docs/coverage.md"
LAST_ROW = 69
NOTHING = {"below", "nothing"}


class Row(NamedTuple):
    """One row of a table of docs/coverage.md."""

    lines: range
    item: str
    carried: str
    words: str
    proof: str


class Item(NamedTuple):
    """One line of the index: a heading, bullet, task, variable or code block of the plan."""

    line: int
    kind: str
    key: str


ROWS = [Row(lines_of(line), *cells) for line, *cells in table(PAGE)]
with (ROOT / "tests/plan_items.tsv").open(newline="") as index:
    ITEMS = [Item(int(one["line"]), one["item"], one["key"]) for one in csv.DictReader(index, delimiter="\t")]
of_rows = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.lines.start}")


@cache
def _functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@of_rows
def test_what_carries_it_exists(row: Row) -> None:
    names = quoted(row.carried)
    assert names or row.carried in NOTHING
    for name in names:
        if name.startswith("gonka-state "):
            assert named(name)
        elif name.startswith("--"):
            assert name in options(), f"nothing takes {name}"
        else:
            assert name in KINDS


@of_rows
def test_its_words_are_in_the_cluster_file(row: Row) -> None:
    for text in quoted(row.words):
        words = text.split(": ")
        if words[0].endswith(".j2"):
            assert words[1] in (ROOT / "templates" / words[0]).read_text()
        else:
            assert says(words), f"desired/ has no {text}"


@of_rows
def test_its_proof_exists(row: Row) -> None:
    tests = quoted(row.proof)
    assert tests or "deviations.md" in row.proof or row.proof == "below"
    for name in tests:
        path, _, function = name.partition("::")
        assert (ROOT / path).exists(), f"there is no {path}"
        assert not function or function in _functions(ROOT / path), f"{path} has no {function}"
    assert {int(number) for number in re.findall(r"#(\d+)", row.proof)} <= deviations()


@of_rows
def test_a_row_is_about_one_thing(row: Row) -> None:
    inside = [item.kind for item in ITEMS if item.line in row.lines]
    assert inside, "no item of the plan is in these lines"
    assert inside.count("task") <= 2
    assert inside.count("heading") <= 3


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "deviations.md" in row.proof], ids=lambda row: f"{row.lines.start}"
)
def test_where_the_plans_way_is_not_taken_the_deviations_say_so(row: Row) -> None:
    numbers = re.findall(r"#\d+", row.proof)
    if not numbers:
        told = [lines_of(part) for plan, *_ in table(DEVIATIONS) for part in re.split(r",\s*", plan)]
        assert any(set(lines) & set(row.lines) for lines in told), f"no row there is about {row.item}"


def test_no_item_of_the_plan_is_left_out() -> None:
    told = {line for row in ROWS for line in row.lines}
    assert [item for item in ITEMS if item.line not in told] == []


def test_the_index_reaches_from_the_first_line_to_the_last() -> None:
    lines = [item.line for item in ITEMS]

    assert (lines[0], lines[-1]) == (1, 1515)
    assert lines == sorted(set(lines))
    # The longest task of the plan; a part that was left out would be longer.
    assert max(after - before for before, after in pairwise(lines)) == 21


def test_no_line_is_told_twice() -> None:
    lines = [line for row in ROWS for line in row.lines]
    assert [line for line in set(lines) if lines.count(line) > 1] == []
    assert lines == sorted(lines)


def test_what_is_told_below_is_told_below() -> None:
    after = pairwise(ROWS)
    assert [
        row for row, following in after if row.proof == "below" and following.lines.start > row.lines.stop + 9
    ] == []


def test_only_a_heading_is_told_below() -> None:
    kinds = {item.line: item.kind for item in ITEMS}
    for row in ROWS:
        if row.proof == "below":
            assert {kinds[line] for line in row.lines if line in kinds} <= {"heading", "code"}, row


def test_every_row_of_what_the_plan_has_wrong_is_among_the_deviations() -> None:
    assert sorted(set(range(1, LAST_ROW + 1)) - deviations()) == []
