"""The table of symptoms against what it answers for: the pains, the plan's troubleshooting chapter, the documents."""

from __future__ import annotations

import csv
import re
from itertools import pairwise
from pathlib import Path

from gonka_state.engine.symptoms import NONE, SYMPTOMS

ROOT = Path(__file__).parents[2]
PAINS = range(1, 25)
CHAPTER = range(1359, 1467)
"""The lines of the deployment plan's troubleshooting chapter."""


def test_every_pain_has_a_symptom_or_a_reason() -> None:
    looked_for = {row for symptom in SYMPTOMS for row in symptom.pains}

    assert looked_for | set(NONE) == set(PAINS)
    assert looked_for & set(NONE) == set()
    assert all(NONE.values())


def test_every_trouble_of_the_plan_has_a_symptom() -> None:
    with (ROOT / "tests/plan_items.tsv").open(newline="") as index:
        items = [
            (int(one["line"]), one["item"])
            for one in csv.DictReader(index, delimiter="\t")
            if int(one["line"]) in CHAPTER
        ]
    named = {line for symptom in SYMPTOMS for line in symptom.plan}
    holds_others = {
        line
        for (line, item), (_, following) in pairwise(items)
        if item == "heading" and following in {"heading", "bullet"}
    }
    troubles = {line for line, item in items if item in {"heading", "bullet"}} - holds_others

    assert len(troubles) == 17
    assert troubles == named


def test_every_symptom_has_its_section_in_the_documents() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text()
    chapter = text.partition("## It hurts")[2].partition("\n## ")[0]

    assert re.findall(r"^### (.+)$", chapter, re.MULTILINE) == [symptom.name for symptom in SYMPTOMS]


def test_a_symptom_speaks_to_people() -> None:
    names = [symptom.name for symptom in SYMPTOMS]

    assert len(names) == len(set(names))
    for symptom in SYMPTOMS:
        assert symptom.asked
        assert symptom.meaning.endswith(".")
        assert len(symptom.name) <= 26
