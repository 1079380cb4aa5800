"""A directory is left to pyinfra's own operation: it is asked for exactly what is declared, and nothing else."""

from __future__ import annotations

import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent
from gonka_state.facts.here import Here
from gonka_state.operations import directory
from gonka_state.operations.base import Call, Do, Step
from gonka_state.resources.directory import DirectoryResource

if TYPE_CHECKING:
    from pathlib import Path


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

    assert sum(type(command) is Call for command in commands) == 1
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


@pytest.mark.parametrize(
    ("mode", "expected"), [("0755", 0o755), ("755", 0o755), ("2750", 0o2750), ("1777", 0o1777)]
)
def test_a_bit_that_a_directory_has_from_the_one_above_goes(tmp_path: Path, mode: str, expected: int) -> None:
    place = tmp_path / "it's here"
    place.mkdir()
    place.chmod(0o2700)
    resource = DirectoryResource(name=str(place), mode=mode)
    change = Change(
        Address("h", "directory", resource.name), Action.UPDATE, (AttributeChange("mode", "2700", mode),)
    )

    commands = list(directory.apply(Step(change, resource, Absent(), Here("h", {}), Timeouts())))
    for do in (command for command in commands if isinstance(command, Do)):
        subprocess.run(["sh", "-c", do.script], check=True)

    assert stat.S_IMODE(place.stat().st_mode) == expected
