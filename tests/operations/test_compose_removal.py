"""Removing a service: what the look named, and no more. Networks are removed on real hosts (tests/e2e/test_taking_down.py)."""

from __future__ import annotations

from dataclasses import replace

from gonka_state.core.change import Action
from gonka_state.core.observation import Present
from gonka_state.operations.base import Do, Pause
from gonka_state.operations.compose_service import apply
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.node import NodeResource
from tests.operations.hands import step_of

STEP = step_of(
    ComposeServiceResource(name="api", directory="/srv/join", state="absent"),
    Action.DELETE,
    seen=Present({}, details={"containers": ["a8b1", "c9d2"], "project": "join"}),
)


def test_a_removal_names_the_containers_of_the_look_and_takes_no_volumes() -> None:
    (command,) = list(apply(STEP))

    assert isinstance(command, Do)
    assert command.script.startswith("set -- a8b1 c9d2\nPROJECT=join\n")
    assert command.turn == "compose"
    assert not [word for word in (" down", "prune", "volume", "-v ") if word in command.script]


def test_an_api_with_nodes_is_given_time_to_store_them() -> None:
    node = NodeResource(name="a", host="h", inference_port=1, poc_port=2, models={"m": {}})
    with_nodes = replace(STEP, here=replace(STEP.here, declared=(node,)))

    assert [item.seconds for item in apply(with_nodes) if isinstance(item, Pause)] == [60]
