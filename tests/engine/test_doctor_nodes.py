"""Symptoms of ML nodes, from the Admin API's answers that were recorded for the demo, changed as hands change them."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.diagnosis import Verdict
from gonka_state.engine.case import Case, Extra
from gonka_state.engine.compare import Comparer
from gonka_state.engine.symptoms import SYMPTOMS
from gonka_state.engine.told import judged
from gonka_state.facts.api_answers import NodesState
from gonka_state.facts.nodes import FACT
from gonka_state.registry import KINDS
from tests.recorded import recorded_look, recorded_wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.diagnosis import Finding
    from gonka_state.facts.api_answers import AdminApi

    Change = Callable[[dict[str, Any]], None]

HOST, NODE = "cluster2-network", "cluster2-ml-02"


@pytest.fixture(scope="module")
def recorded() -> Case:
    desired = recorded_wish()
    snapshot = recorded_look()
    compared = Comparer(desired, KINDS).compare(snapshot)
    seen = tuple(judged(desired, compared, HOST))
    return Case(
        replace(desired, file="c.yaml"), desired.hosts[HOST], snapshot.hosts[HOST], compared, seen, Extra()
    )


@pytest.fixture
def asked(recorded: Case, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Finding | None]:
    """A symptom's answer, with the API's answers as they are after a change."""
    state = recorded.section(FACT)
    assert isinstance(state, NodesState)
    ((url, api),) = state.apis.items()

    def ask(name: str, change: Callable[[AdminApi], AdminApi]) -> Finding | None:
        changed = NodesState({url: change(copy.deepcopy(api))})
        monkeypatch.setattr(Case, "section", lambda _self, _fact: changed)
        (symptom,) = (symptom for symptom in SYMPTOMS if symptom.name == name)
        return symptom.ask(recorded)

    return ask


def entry(api: AdminApi) -> dict[str, Any]:
    (found,) = api.find(NODE)
    return found


def disabled(api: AdminApi) -> AdminApi:
    entry(api)["state"]["admin_state"]["enabled"] = False
    return api


def strange_model(api: AdminApi) -> AdminApi:
    entry(api)["node"]["models"] = {"Qwen/QwQ-32B": {"args": []}}
    return replace(api, governance=frozenset(api.governance or ()) - {"Qwen/QwQ-32B"})


def stored_twice(api: AdminApi) -> AdminApi:
    return replace(api, stored=(*(api.stored or ()), entry(api)["node"]))


def same_place(api: AdminApi) -> AdminApi:
    other = copy.deepcopy(entry(api))
    other["node"]["id"] = "another"
    return replace(api, nodes=(*api.nodes, other))


def greedy(api: AdminApi) -> AdminApi:
    (model,) = entry(api)["node"]["models"].values()
    model["args"] = ["--tensor-parallel-size", "4", "--gpu-memory-utilization", "0.99"]
    return api


def nothing(api: AdminApi) -> AdminApi:
    return api


@pytest.mark.parametrize(
    ("name", "change", "evidence", "fix"),
    [
        (
            "nodes switched off or on",
            disabled,
            f"{NODE} is disabled, and no YAML says so",
            f"/nodes/{NODE}/enable",
        ),
        ("models of governance", strange_model, f"{NODE}: Qwen/QwQ-32B", "Qwen/Qwen3-32B-FP8"),
        ("nodes twice", stored_twice, f"{NODE} is stored 2 times", "-X DELETE"),
        ("nodes twice", same_place, "2 nodes are at 10.77.0.13:5050", "-X DELETE"),
        ("vLLM's memory", greedy, "--gpu-memory-utilization 0.99", "0.92"),
    ],
)
def test_what_an_api_holds_of_its_nodes(
    asked: Callable[..., Finding | None],
    name: str,
    change: Callable[[AdminApi], AdminApi],
    evidence: str,
    fix: str,
) -> None:
    found, well = asked(name, change), asked(name, nothing)

    assert found is not None
    assert (found.verdict, evidence in found.evidence, fix in found.fix) == (Verdict.FOUND, True, True), found
    assert well is not None
    assert well.verdict is Verdict.CLEAR, well


def test_without_the_models_of_governance_nobody_can_tell(asked: Callable[..., Finding | None]) -> None:
    finding = asked(
        "models of governance", lambda api: replace(api, governance=None, governance_problem="answers 500")
    )

    assert finding is not None
    assert finding.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("value", ["0.98", "much", "0.9"])
def test_a_careful_argument_or_none_that_can_be_read_is_no_symptom(
    asked: Callable[..., Finding | None], value: str
) -> None:
    def careful(api: AdminApi) -> AdminApi:
        (model,) = entry(api)["node"]["models"].values()
        model["args"] = ["--gpu-memory-utilization", value]
        return api

    finding = asked("vLLM's memory", careful)

    assert finding is not None
    assert finding.verdict is Verdict.CLEAR


def told(recorded: Case, follows: set[str], **values: Any) -> Finding:  # noqa: ANN401  (what a look told of a node)
    notes = tuple(
        replace(note, values={**note.values, **values}) if note.name == NODE else note
        for note in recorded.compared.plan.notes
    )
    compared = replace(recorded.compared, plan=replace(recorded.compared.plan, notes=notes))
    (symptom,) = (symptom for symptom in SYMPTOMS if symptom.name == "ML nodes")
    finding = symptom.ask(replace(recorded, compared=compared, follows=follows))
    assert finding is not None
    return finding


FOLLOWS = {"cluster2-ml-03"}
"""In the recorded look its container is stopped."""


def test_a_node_that_failed_or_is_silent_is_found_with_its_hosts_log(recorded: Case) -> None:
    failed = told(recorded, FOLLOWS, status="FAILED", failure="CUDA error")
    silent = told(recorded, FOLLOWS, answers=False)

    assert (failed.verdict, failed.evidence) == (Verdict.FOUND, f"{NODE}: FAILED: CUDA error")
    assert f"gonka-state logs {NODE} mlnode-308 --path c.yaml" in failed.fix
    assert silent.verdict is Verdict.FOUND
    assert told(recorded, FOLLOWS | {NODE}, answers=False).verdict is Verdict.CLEAR


def test_a_node_before_its_first_poc_did_not_fail(recorded: Case) -> None:
    waiting = told(
        recorded, FOLLOWS, status="FAILED", failure="No epoch models available", before_first_poc=True
    )

    assert waiting.verdict is Verdict.CLEAR
    assert waiting.evidence.startswith(
        f"{NODE}: 'No epoch models available' is no error before the first PoC"
    )
