"""daemon.json written by a real sh and Python, in a place of its own; Docker itself is asked in the lab."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.change import Action, AttributeChange
from gonka_state.errors import StepError
from gonka_state.facts.docker_daemon import FILE, PENDING
from gonka_state.operations.base import Do, Result
from gonka_state.operations.docker_daemon import TAKEN_BACK, apply
from gonka_state.resources.docker_daemon import DockerDaemonResource
from tests.operations.hands import carry_out, step_of

if TYPE_CHECKING:
    from pathlib import Path


def write(place: Path, settings: dict[str, Any], checker: str = "exit 0") -> None:
    """Run the writing command alone, with `checker` as dockerd."""
    programs = place / "bin"
    programs.mkdir(exist_ok=True)
    (programs / "dockerd").write_text(f"#!/bin/sh\n{checker}\n")
    (programs / "dockerd").chmod(0o755)
    commands = apply(step_of(DockerDaemonResource(settings=settings), Action.UPDATE, "settings"))
    first = next(commands)
    assert isinstance(first, Do)

    def moved(script: str) -> str:
        script = script.replace(PENDING, str(place / "pending")).replace(FILE, str(place / "daemon.json"))
        return f"PATH={programs}:$PATH\n{script.replace('/etc/docker', str(place))}"

    def once() -> Any:  # noqa: ANN401  (a generator of one command)
        yield first

    carry_out(once(), change=moved)


def test_other_settings_their_order_and_parts_of_maps_stay(tmp_path: Path) -> None:
    file = tmp_path / "daemon.json"
    file.write_text('{"z": 1, "iptables": false, "log-opts": {"max-size": "1m", "token": "t"}, "a": [1]}')
    file.chmod(0o600)

    write(tmp_path, {"iptables": True, "log-opts": {"max-size": "2m"}, "a": [2]})

    found = json.loads(file.read_text())
    assert list(found.items()) == [
        ("z", 1), ("iptables", True), ("log-opts", {"max-size": "2m", "token": "t"}), ("a", [2]),
    ]  # fmt: skip
    assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "pending").read_text() == "before\n"
    assert json.loads((tmp_path / "daemon.json.gonka-state-previous").read_text())["iptables"] is False


@pytest.mark.parametrize("text", [None, ""])
def test_a_file_is_made_where_there_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "daemon.json").write_text(text)

    write(tmp_path, {"iptables": True})

    assert json.loads((tmp_path / "daemon.json").read_text()) == {"iptables": True}
    assert (tmp_path / "pending").read_text() == ("new\n" if text is None else "before\n")


def test_what_docker_refuses_is_not_put_in_place(tmp_path: Path) -> None:
    (tmp_path / "daemon.json").write_text("{}")

    with pytest.raises(StepError, match="unable to configure"):
        write(tmp_path, {"mtu": "x"}, "echo 'unable to configure' >&2; exit 1")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "daemon.json"]
    assert (tmp_path / "daemon.json").read_text() == "{}"


def test_a_docker_that_cannot_check_does_not_stop_it(tmp_path: Path) -> None:
    write(tmp_path, {"mtu": 1400}, "echo 'unknown flag: --validate' >&2; exit 125")

    assert json.loads((tmp_path / "daemon.json").read_text()) == {"mtu": 1400}


@pytest.mark.parametrize(
    ("attributes", "settings", "verb"),
    [
        (["settings.debug"], {"debug": True}, "reload"),
        (["settings.debug", "settings.mtu"], {"debug": True, "mtu": 1}, "restart"),
        (["loaded"], {"debug": True}, "restart"),
    ],
)
def test_docker_is_restarted_only_where_it_must(
    attributes: list[str], settings: dict[str, Any], verb: str
) -> None:
    commands = apply(step_of(DockerDaemonResource(settings=settings), Action.UPDATE, *attributes))
    told = [next(commands)]
    with suppress(StopIteration):
        while True:
            told.append(commands.send(Result(0)))

    assert [command.about for command in told if isinstance(command, Do)] == [
        *([f"write {FILE}"] if attributes != ["loaded"] else []),
        f"{verb} Docker",
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [(TAKEN_BACK, "the previous file is in place and Docker answers: bad"), (1, "does not answer: bad")],
)
def test_it_says_what_is_true_when_docker_does_not_come_back(status: int, said: str) -> None:
    commands = apply(step_of(DockerDaemonResource(settings={"mtu": 1}), Action.UPDATE, "loaded"))
    next(commands)

    with pytest.raises(StepError, match=said):
        commands.send(Result(status, "", "bad"))


def test_attributes_are_named_as_the_comparison_names_them() -> None:
    wish = DockerDaemonResource(settings={"debug": True})

    assert wish.reloads((AttributeChange("settings", None, {"debug": True}),))
    assert not wish.reloads(())
