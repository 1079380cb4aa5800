"""A directory is left to pyinfra's own operation: it is asked for exactly what is declared, and nothing else."""

from __future__ import annotations

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent
from gonka_state.facts.here import Here
from gonka_state.operations import directory
from gonka_state.operations.base import Call, Step
from gonka_state.resources.directory import DirectoryResource


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
@pytest.mark.parametrize(
    "words", [{}, {"mode": "0750"}, {"owner": "ubuntu", "group": "docker", "mode": "0755"}]
)
def test_pyinfra_is_asked_for_what_is_declared(action: Action, words: dict[str, str]) -> None:
    # Imported here: collecting tests must not load an SSH stack.
    from pyinfra.operations import files  # noqa: PLC0415

    resource = DirectoryResource.model_validate({"name": "/opt/it's here", **words})
    change = Change(Address("h", "directory", resource.name), action)

    commands = list(directory.apply(Step(change, resource, Absent(), Here("h", {}), Timeouts())))

    assert [type(command) for command in commands] == [Call]
    call = commands[0]
    assert isinstance(call, Call)
    assert call.operation is files.directory
    assert call.arguments == {
        "path": "/opt/it's here",
        "user": words.get("owner"),
        "group": words.get("group"),
        "mode": words.get("mode"),
    }
    assert resource.name in call.about
