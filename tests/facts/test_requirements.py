"""Conditions of a host: versions and sizes compared as people mean them, one topic never hides another."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look, split_parts
from gonka_state.facts.here import Here
from gonka_state.facts.requirements import (
    FACT,
    TOPICS,
    Conditions,
    Gpu,
    observe_requirement,
    version,
    wanted_requirement,
)
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Here("h", {})


def need(topic: str, **condition: Any) -> RequirementResource:  # noqa: ANN401 (any condition, as in YAML)
    return RequirementResource.model_validate({"name": topic, "topic": topic, **condition})


def met(state: Conditions, resource: RequirementResource) -> bool:
    seen = observe_requirement(state, resource, HERE)
    assert isinstance(seen, Present), seen
    return seen.attributes == wanted_requirement(state, resource, HERE)


def shown(state: Conditions, resource: RequirementResource) -> str:
    seen = observe_requirement(state, resource, HERE)
    assert isinstance(seen, Present), seen
    return str(seen.attributes[resource.topic])


def part(name: str, text: str, status: int = 0, stderr: str = "") -> str:
    return f"#@x part {name}\n{text}\n#@x rc {status} {stderr}\n"


def test_this_machine_answers_every_topic_that_needs_no_program_of_its_own(
    body: Callable[[str], str], tmp_path: Path
) -> None:
    (tmp_path / "model").write_bytes(b"x" * 50_000)
    required = [
        need("architecture", equals=os.uname().machine),
        need("cores", minimum=1),
        need("memory", minimum="1MiB"),
        need("os", equals=""),
        need("sudo", equals=os.geteuid() == 0),
        need("time", at_most=30.0),
        need(
            "disk",
            minimum=1,
            path=str(tmp_path / "not" / "yet"),
            counts=[str(tmp_path), str(tmp_path / "no")],
        ),
    ]

    state = FACT.parse(body(FACT.script(required, Look(clock=time.time()))))

    assert state.errors == {}
    assert [resource.name for resource in required if not met(state, resource)] == []
    assert state.disks["counted disk"] >= 50_000


def test_only_what_is_required_is_asked() -> None:
    script = FACT.script(
        [need("cores", minimum=8), need("nvidia-runtime", equals=True), need("docker", minimum="20")], Look()
    )

    assert "nproc" in script
    assert "df -" not in script.split("part cores")[1].split("free_at() ")[0]
    assert script.count("docker info") == 1
    assert "nvidia-smi" not in script


def test_alone_it_asks_every_topic(body: Callable[[str], str]) -> None:
    parts = split_parts(body(FACT.standalone(path="/tmp")))  # noqa: S108 (a directory that exists everywhere)

    assert {"os", "cores", "docker", "gpus", "disk /tmp"} <= set(parts)
    with pytest.raises(FactError, match="takes path=, got word"):
        FACT.standalone(word=1)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("v2.27.0", (2, 27, 0)),
        ("28", (28,)),
        ("5.6.1-desktop.1", (5, 6, 1)),
        ("unknown", ()),
        ("", ()),
    ],
)
def test_a_version_is_its_leading_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert version(text) == numbers


@given(
    st.lists(st.integers(0, 99), min_size=1, max_size=4), st.lists(st.integers(0, 99), min_size=1, max_size=4)
)
def test_versions_compare_number_by_number(found: list[int], minimum: list[int]) -> None:
    state = Conditions({"docker": ".".join(map(str, found)) + "+dfsg1"})

    assert met(state, need("docker", minimum=".".join(map(str, minimum)))) == (found >= minimum)


@pytest.mark.parametrize(
    ("topic", "condition", "found", "ok"),
    [
        ("os", {"equals": "debian 12"}, "debian 12", True),
        ("os", {"equals": "ubuntu 22.04"}, "debian 12", False),
        ("cores", {"minimum": 16}, 15, False),
        ("cores", {"minimum": 16}, 16, True),
        ("memory", {"minimum": "640GiB"}, 640 * 2**30, True),
        ("memory", {"minimum": "640GiB"}, 640 * 2**30 - 1, False),
        ("compose", {"minimum": "2.20"}, "2.9.0", False),
        ("compose", {"minimum": "2.20"}, "5.6.1", True),
        ("nvidia-runtime", {"equals": True}, False, False),
        ("nvidia-runtime", {"equals": True}, True, True),
        ("gpus", {"equals": 8}, 7, False),
        ("gpu-model", {"equals": "h100"}, "NVIDIA H100 80GB HBM3", True),
        ("gpu-model", {"equals": "H100"}, "none", False),
        ("time", {"at_most": 1.0}, 1.0, True),
        ("time", {"at_most": 1.0}, 1.2, False),
    ],
)
def test_a_condition_is_met_or_not(topic: str, condition: dict[str, Any], found: object, *, ok: bool) -> None:
    assert met(Conditions({topic: found}), need(topic, **condition)) is ok


def test_what_was_found_is_shown_in_units_people_read() -> None:
    state = Conditions({"memory": 3 * 2**29, "time": 7.25, "cores": 2}, disks={"free /": 2**31})

    assert shown(state, need("memory", minimum="2GiB")) == "1.5 GiB"
    assert shown(state, need("time", at_most=1.0)) == "7.2 s off"
    assert shown(state, need("cores", minimum=4)) == "2"
    assert shown(state, need("disk", minimum="1TB")) == "2.0 GiB"


def test_declared_models_that_are_there_count_as_free_space() -> None:
    disks = {"free /data": 10, "counted disk": 90}

    assert met(Conditions({}, disks=disks), need("disk", minimum=100, path="/data"))
    assert not met(Conditions({}, disks=disks), need("disk", minimum=101, path="/data"))


def test_a_card_that_dropped_out_does_not_count() -> None:
    rows = "0, H100, 81559, 0\n1, H100, [N/A], [GPU is lost]\nUnable to determine\n\n"

    state = FACT.parse(part("gpus", rows))

    assert state.found["gpus"] == 1
    assert state.found["gpu-model"] == "H100"
    assert [gpu.healthy for gpu in state.gpus] == [True, False]
    assert state.gpus[0] == Gpu("0", "H100", "81559", "0")


def test_no_card_at_all_is_an_answer() -> None:
    state = FACT.parse(part("gpus", ""))

    assert (state.found["gpus"], state.found["gpu-model"]) == (0, "none")


@pytest.mark.parametrize(
    ("text", "topic", "why"),
    [
        (part("docker", "", 127), "docker", "docker is not installed"),
        (part("docker", "|", 1), "docker", "the Docker daemon does not answer"),
        (part("docker", "", 0), "nvidia-runtime", "the Docker daemon does not answer"),
        (part("gpus", "", 127), "gpus", "nvidia-smi is not installed"),
        (part("gpus", "", 9, "driver mismatch"), "gpu-model", "gpus: driver mismatch"),
        (part("compose", "", 1, "no such plugin"), "compose", "compose: no such plugin"),
    ],
)
def test_a_missing_tool_is_an_unmet_condition_with_its_reason(text: str, topic: str, why: str) -> None:
    assert shown(FACT.parse(text), need(topic, equals="x")) == f"not available: {why}"


@pytest.mark.parametrize(
    ("text", "topic", "why"),
    [
        (part("cores", "many"), "cores", "cores said 'many'"),
        (part("memory", ""), "memory", "memory said ''"),
        (part("time", "1.0"), "time", "the answer ends before 'clock': the look was cut short"),
        (part("os", "", 1, "No such file"), "os", "os: No such file"),
        (part("disk /", "df: garbage"), "disk", "df said 'df: garbage'"),
        (part("disk /", "", 1, "df: no"), "disk", "df: no"),
        (part("cores", "2"), "architecture", "not looked at"),
        (part("cores", "2"), "disk", "not looked at"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_says_why(text: str, topic: str, why: str) -> None:
    seen = observe_requirement(FACT.parse(text), need(topic, equals="x"), HERE)

    assert seen == Unknown(f"{topic} cannot be read: {why}")


def test_a_topic_that_failed_does_not_hide_the_others() -> None:
    state = FACT.parse(part("cores", "many") + part("architecture", "x86_64"))

    assert met(state, need("architecture", equals="x86_64"))
    assert isinstance(observe_requirement(state, need("cores", minimum=1), HERE), Unknown)


def test_without_a_clock_to_compare_with_there_is_no_skew() -> None:
    assert FACT.parse(part("clock", "0.000") + part("time", "1795490047.1")).found["time"] == 0.0
    assert FACT.parse(part("clock", "100.0") + part("time", "97.5")).found["time"] == 2.5


@given(st.sampled_from([*TOPICS, "clock", "disk /", "counted disk"]), st.text(), st.integers(0, 127))
def test_the_parser_raises_nothing_but_fact_errors(name: str, text: str, status: int) -> None:
    topic = {"clock": "time", "disk /": "disk", "counted disk": "disk"}.get(name, name)
    try:
        state = FACT.parse(part(name, text, status))
    except FactError:
        return
    observe_requirement(state, need(topic, equals="x"), HERE)
