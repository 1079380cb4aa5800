"""daemon.json as the host's Python filters it: what is not declared does not travel."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.core.diff import compare
from gonka_state.core.observation import Present
from gonka_state.errors import FactError
from gonka_state.facts.base import Look
from gonka_state.facts.docker_daemon import (
    DEFAULTS,
    FACT,
    FILE,
    LOGS,
    PENDING,
    DaemonState,
    notes,
    observe_daemon,
)
from gonka_state.facts.here import Here
from gonka_state.resources.docker_daemon import RELOADED, DockerDaemonResource
from tests.facts.conftest import run_body

HERE = Here("h", {})


def answer(path: Path, wish: DockerDaemonResource) -> str:
    script = FACT.script([wish], Look())
    return run_body(script.replace(PENDING, f"{path}.pending").replace(FILE, str(path)))


def see(path: Path, **settings: Any) -> Present:  # noqa: ANN401  (JSON)
    wish = DockerDaemonResource(settings=settings)
    found = observe_daemon(FACT.parse(answer(path, wish)), wish, HERE)
    assert isinstance(found, Present)
    return found


def test_a_container_from_before_the_limit_is_named() -> None:
    recorded = (Path(__file__).parents[1] / "kinds/docker-daemon/logs.yaml").read_text()
    case = YAML(typ="safe", pure=True).load(recorded)

    (note,) = notes(FACT.parse(case["output"]), [], HERE)

    assert (note.name, note.values) == (LOGS, {"unlimited": ["before"]})
    assert (
        notes(FACT.parse(case["output"].replace("/before json-file", "/before json-file 1m")), [], HERE) == []
    )
    assert notes(FACT.parse(case["output"].partition("#@x part logs")[0]), [], HERE) == []


@pytest.mark.parametrize(("setting", "asked"), [("log-opts", True), ("iptables", False)])
def test_containers_are_asked_for_only_where_their_logs_have_limits(
    setting: str,
    asked: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    assert ("docker inspect" in FACT.script([DockerDaemonResource(settings={setting: {}})], Look())) is asked


def test_only_what_is_declared_leaves_the_host(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(
        json.dumps(
            {"iptables": False, "log-opts": {"max-size": "1m", "token": "hidden"}, "proxies": "hidden"}
        )
    )
    wish = DockerDaemonResource(settings={"iptables": True, "log-opts": {"max-size": "2m"}})

    text = answer(path, wish)

    assert "hidden" not in text
    state = FACT.parse(text)
    assert (state.settings, state.others) == (
        {"iptables": False, "log-opts": {"max-size": "1m"}},
        ("proxies",),
    )


@pytest.mark.parametrize("text", [None, "", "  \n", "{}"])
def test_what_no_file_says_is_dockers_default(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "daemon.json"
    if text is not None:
        path.write_text(text)

    found = see(path, **DEFAULTS, **{"data-root": "/x"})

    assert found.attributes["settings"] == DEFAULTS


@pytest.mark.parametrize(
    ("text", "said"),
    [('{\n "a": tru\n}', ":2: Expecting value"), ("[1]", ": is no JSON object"), ("\ufeff{", ":1: ")],
)
def test_what_docker_could_not_read_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "daemon.json"
    path.write_text(text)

    with pytest.raises(FactError, match=said) as refused:
        see(path, iptables=True)

    assert str(refused.value).startswith(str(path))


def test_a_step_that_was_killed_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "daemon.json"
    (tmp_path / "daemon.json.pending").write_text("before\n")

    assert see(path, iptables=True).attributes["loaded"] is False


def test_effects_follow_from_what_docker_takes_over() -> None:
    def effect(before: dict[str, Any], after: dict[str, Any]) -> Effect:
        wish = DockerDaemonResource(settings=after)
        _, changes = compare(
            {"settings": after, "loaded": True},
            Present({"settings": before, "loaded": True}),
            wanted_absent=False,
        )
        assert changes
        return wish.effect(Action.UPDATE, changes)

    assert all(effect({}, {name: "x"}) is Effect.SAFE for name in RELOADED)
    assert effect({"runtimes": {}}, {"runtimes": {"a": {"path": "b"}}}) is Effect.SAFE
    assert effect({}, {"iptables": True}) is Effect.DISRUPTIVE
    assert effect({}, {"debug": True, "mtu": 1400}) is Effect.DISRUPTIVE
    unread = (AttributeChange("loaded", before=False, after=True),)
    assert DockerDaemonResource(settings={"debug": True}).effect(Action.UPDATE, unread) is Effect.DISRUPTIVE


def test_a_password_is_refused_before_it_is_shown() -> None:
    with pytest.raises(ValueError, match="holds a password"):
        DockerDaemonResource(settings={"proxies": {"http-proxy": "http://u:p@proxy:3128"}})


@given(st.text(), st.text(st.characters(exclude_characters="\n")))
def test_any_answer_is_understood_or_refused(text: str, line: str) -> None:
    framed = f"#@x part file\n{line}\n#@x rc 0\n#@x part pending\n\n#@x rc 1\n"
    for found in (text, framed):
        try:
            assert isinstance(FACT.parse(found), DaemonState)
        except FactError:
            continue


def test_it_can_be_used_alone() -> None:
    assert '{"iptables": null}' in FACT.standalone(setting="iptables")
    with pytest.raises(FactError, match="takes setting="):
        FACT.standalone(name="a")
    module = importlib.import_module("gonka_state.facts.docker_daemon")
    assert module.DockerDaemon.name.endswith("DockerDaemon")
