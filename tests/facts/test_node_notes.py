"""What a report tells at its end: counted from the look, and never more than somebody said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.facts.here import Here
from gonka_state.facts.node_notes import notes
from gonka_state.facts.nodes import FACT
from gonka_state.resources.firewall import ContainerPortResource
from tests.facts.test_nodes import DECLARED, entry, picked, section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.observation import Note
    from gonka_state.resources.node import NodeResource

OTHER = DECLARED.model_copy(update={"name": "ml-02", "public_url": "http://203.0.113.12:8000"})
CARD = {"total_memory_mb": 81920, "used_memory_mb": 40960, "is_available": True}


def lines(name: str, question: str, value: Any) -> str:  # noqa: ANN401 (JSON)
    return "\n".join(f"{name} {question} {line}" for line in picked(value).split("\n"))


def told(
    *nodes: dict[str, Any],
    here: Here | None = None,
    declared: Sequence[NodeResource] = (OTHER, DECLARED),
    **answers: str,
) -> dict[str, Note]:
    read = FACT.parse(section(picked(list(nodes)), **answers))
    return {note.name: note for note in notes(read, declared, here or Here("net", {}))}


def test_an_address_and_what_is_not_public() -> None:
    closed = Here("net", {}, declared=[ContainerPortResource.model_validate({"port": 26657, "from": []})])

    assert (
        told(here=closed)["API"].text == "http://203.0.113.12:8000; the RPC of its chain node is not public"
    )
    assert told()["API"].text == "http://203.0.113.12:8000"
    assert told(declared=[DECLARED])["API"].text == "its public address is not set"


def group(*ids: str) -> str:
    nodes = [{"ml_nodes": [{"node_id": name} for name in ids]}]
    return picked({"active_participants": {"participants": [{"index": "gonka1x", "ml_nodes": nodes}]}})


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ({}, "1 of 2 registered"),
        ({"epoch": picked({"latest_epoch": {"index": 9}}), "participants": "end { 0 200"},
         "1 of 2 registered; none takes part in the current epoch, a new one does so after its first PoC"),
        ({"participants": group("ml-01", "strange")}, "1 of 2 registered, 1 take part in the current epoch"),
        ({"participants": "end ? 0 400"}, "1 of 2 registered"),
    ],
)  # fmt: skip
def test_nodes_are_counted(answers: dict[str, Any], text: str) -> None:
    assert told(entry(), entry("undeclared"), **answers)["nodes"].text == text


@pytest.mark.parametrize(
    ("cards", "text"),
    [
        (lines("ml-01", "state", {"state": "INFERENCE", "loaded_model": "a/b"}) + "\n" + lines("ml-01", "cards", {"devices": [CARD, CARD, {**CARD, "is_available": False}]}),
         "a/b loaded, 85.9 GB of 171.8 GB used on 2 GPUs"),
        (lines("ml-01", "state", {"state": "STOPPED", "loaded_model": None}), "no model loaded, as far as it tells, its GPUs are not told"),
        (lines("ml-01", "state", {"state": "STOPPED"}) + "\nml-01 cards end { 0 404", "no model loaded, as far as it tells, its GPUs are not told"),
        ("ml-01 state end - 0 000", "does not answer; status FAILED"),
        ("", "does not answer; status FAILED"),
    ],
)  # fmt: skip
def test_a_node_tells_its_model_and_its_memory(cards: str, text: str) -> None:
    found = told(entry(state={"current_status": "FAILED"}), cards=cards)

    assert found["ml-01"].text == text
    assert found["ml-02"].text == "does not answer; not registered"


def test_the_numbers_are_there_for_programs() -> None:
    cards = (
        lines("ml-01", "state", {"loaded_model": "a/b", "version": "3.0.13"})
        + "\n"
        + lines("ml-01", "cards", {"devices": [CARD]})
    )

    found = told(entry(), cards=cards)

    assert found["ml-01"].values == {
        "registered": True, "answers": True, "version": "3.0.13", "model": "a/b", "gpus": 1,
        "gpu_memory_used": 40960 * 2**20, "gpu_memory": 81920 * 2**20,
        "status": "", "intended_status": "", "failure": "", "before_first_poc": False,
    }  # fmt: skip


def test_what_the_api_says_of_a_node_is_there_for_programs_too() -> None:
    failed = entry(
        state={
            "current_status": "FAILED",
            "intended_status": "INFERENCE",
            "failure_reason": "No epoch models available",
        }
    )

    values = told(failed)["ml-01"].values

    assert (values["status"], values["intended_status"]) == ("FAILED", "INFERENCE")
    assert (values["failure"], values["before_first_poc"]) == ("No epoch models available", True)


def test_an_api_that_does_not_answer_tells_nothing() -> None:
    assert (
        notes(FACT.parse(section("end - 0 000", rc="4 curl: (7) refused")), [DECLARED], Here("net", {})) == []
    )
