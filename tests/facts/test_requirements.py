"""Conditions of a host: versions and sizes compared as people mean them, one topic never hides another."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look, split_parts
from gonka_state.facts.here import Here
from gonka_state.facts.requirement_gpu import Gpu
from gonka_state.facts.requirement_network import SECONDS
from gonka_state.facts.requirement_observed import observe_requirement, version, wanted_requirement
from gonka_state.facts.requirements import FACT, TOPICS, Conditions
from gonka_state.resources.requirement import GOOD, RequirementResource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@contextmanager
def http_server(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


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
        need(
            "disk",
            minimum=1,
            path=str(tmp_path / "not" / "yet"),
            counts=[str(tmp_path), str(tmp_path / "no")],
        ),
    ]

    state = FACT.parse(body(FACT.script(required, Look())))

    assert state.errors == {}
    assert [resource.name for resource in required if not met(state, resource)] == []
    assert state.disks["counted disk"] >= 50_000


def test_only_what_is_required_is_asked() -> None:
    script = FACT.script(
        [need("cores", minimum=8), need("nvidia-runtime", equals=True), need("docker", minimum="20")], Look()
    )

    asked = [line for line in script.splitlines() if line.startswith("part ")]
    assert asked == ["part cores nproc", "part docker ask_engine"]


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
    ],
)
def test_a_condition_is_met_or_not(topic: str, condition: dict[str, Any], found: object, *, ok: bool) -> None:
    assert met(Conditions({topic: found}), need(topic, **condition)) is ok


def test_what_was_found_is_shown_in_units_people_read() -> None:
    state = Conditions({"memory": 3 * 2**29, "cores": 2}, disks={"free /": 2**31})

    assert shown(state, need("memory", minimum="2GiB")) == "1.5 GiB"
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
        ("", "time", "nobody compared the clocks"),
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


def test_a_clock_is_off_by_what_the_look_could_not_account_for() -> None:
    required = need("time", at_most=5.0)

    assert observe_requirement(FACT.parse(""), required, replace(HERE, skew=5.0)) == Present(
        {"time": required.condition}, details={"found": "5.0 s off"}
    )
    late = observe_requirement(FACT.parse(""), required, replace(HERE, skew=7.25))
    assert isinstance(late, Present)
    assert late.attributes == {"time": "7.2 s off"}


OF_PARTS = {
    "disk /": "disk", "counted disk": "disk", "device /": "disk-type", "listeners": "ports",
    "published": "ports",
}  # fmt: skip
LIKELY = st.one_of(
    st.text(),
    st.text('0123456789 .:/|"=,()[]>-\t\ntcpudlsk', max_size=120),
    st.sampled_from(['NAME="sda" TYPE="disk"', "tcp LISTEN 0 1 *:22 *:*", "0.0.0.0:1-3->1-3/tcp\ta\tb\tc"]),
)


@given(st.sampled_from([*TOPICS, *OF_PARTS]), LIKELY, st.integers(0, 127))
def test_the_parser_raises_nothing_but_fact_errors(name: str, text: str, status: int) -> None:
    topic = OF_PARTS.get(name, name)
    condition = {} if topic in GOOD else {"equals": "x"}
    try:
        state = FACT.parse(part(name, text, status))
    except FactError:
        return
    observe_requirement(state, need(topic, **condition), HERE)


@pytest.mark.parametrize(
    ("found", "ok"),
    [("12.5", False), ("12.6", True), ("12.9.1", True), ("13.0", False), ("12.10", False), ("12", False)],
)
def test_a_range_takes_in_both_of_its_ends(found: str, *, ok: bool) -> None:
    resource = need("cuda", minimum="12.6", maximum="12.9")

    assert resource.condition == "12.6 to 12.9"
    assert met(Conditions({"cuda": found}), resource) is ok


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40))
def test_a_number_lies_between_its_bounds(found: int, low: int, high: int) -> None:
    state = Conditions({"cores": found})

    assert met(state, need("cores", minimum=low, maximum=high)) == (low <= found <= high)
    assert met(state, need("cores", maximum=high)) == (found <= high)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("NVIDIA Container Toolkit CLI version 1.17.8\ncommit: f202", "1.17.8"),
        ("cli-version: 1.18.0\nlib-version: 1.18.0", "1.18.0"),
        ("package 1.17.8-1", "1.17.8"),
    ],
)
def test_the_toolkits_version_comes_from_whatever_tells_it(said: str, found: str) -> None:
    assert FACT.parse(part("container-toolkit", said)).found["container-toolkit"] == found


PAIRS = 'NAME="{}" TYPE="{}" SIZE="{}" TRAN="{}" ROTA="{}"'.format


@pytest.mark.parametrize(
    ("rows", "kind", "size"),
    [
        ([("nvme0n1p1", "part", 900, "nvme", 0), ("nvme0n1", "disk", 1000, "nvme", 0)], "nvme", 1000),
        ([("vda1", "part", 10, "", 0), ("vda", "disk", 20, "", 0)], "virtual", 20),
        (
            [
                ("md0", "raid0", 2000, "", 0),
                ("nvme0n1", "disk", 1000, "", 0),
                ("sda", "disk", 1000, "sata", 1),
            ],
            "nvme, rotating",
            2000,
        ),
    ],
)
def test_a_disk_is_what_its_file_system_lies_on(
    rows: list[tuple[str, str, int, str, int]], kind: str, size: int
) -> None:
    state = FACT.parse(part("device /", "\n".join(PAIRS(*row) for row in rows)))

    assert state.disks == {"type /": kind, "size /": size}
    assert met(state, need("disk-type", equals="nvme")) is (kind == "nvme")


def test_only_root_and_a_running_docker_that_starts_at_boot_are_enough() -> None:
    unit = "LoadState={}\nActiveState={}\nUnitFileState={}".format
    need_it = need("docker-service", equals=True)

    assert met(FACT.parse(part("docker-service", unit("loaded", "active", "enabled"))), need_it)
    stopped = FACT.parse(part("docker-service", unit("loaded", "failed", "enabled-runtime")))
    assert shown(stopped, need_it) == "failed, starts at boot"
    assert shown(FACT.parse(part("docker-service", unit("loaded", "active", "static"))), need_it) == (
        "running, does not start at boot"
    )
    gone = FACT.parse(part("docker-service", unit("not-found", "inactive", "")))
    assert shown(gone, need_it) == "not available: there is no docker.service"


def test_targets_are_asked_all_at_once_and_each_says_what_came_of_it(body: Callable[[str], str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # bound, never listening: refused
        open_, closed = (f"tcp://127.0.0.1:{it.getsockname()[1]}" for it in (server, deaf))
        web = closed.replace("tcp", "http") + "/x"
        resource = need("reach", targets=[open_, closed, web, "tcp://nowhere.invalid:1"])
        began = time.monotonic()
        state = FACT.parse(body(FACT.script([resource], Look())))

    assert time.monotonic() - began < 2 * SECONDS
    assert state.answers[open_] == "ok"
    assert state.answers[closed] == "Connection refused"
    assert state.answers[web]
    assert state.answers[web] != "ok"
    assert state.answers["tcp://nowhere.invalid:1"] not in {"ok", ""}
    assert f"{closed}: Connection refused" in shown(state, resource)


def test_an_http_answer_counts_unless_the_way_is_broken(body: Callable[[str], str]) -> None:
    with http_server(404) as missing, http_server(503) as broken:
        resource = need("reach", targets=[missing, broken])
        state = FACT.parse(body(FACT.script([resource], Look())))

    assert state.answers == {missing: "ok", broken: "answers 503"}


def test_a_host_that_did_not_answer_the_look_is_not_told_again() -> None:
    targets = ["tcp://10.0.0.1:22", "tcp://[fd00::2]:22"]
    state = Conditions({}, answers={targets[0]: "No route to host", targets[1]: "no answer within 5 s"})
    addresses = {"one": "10.0.0.1", "two": "fd00::2"}
    here = Here("three", addresses, silent=("one",))
    resource = need("reach", targets=targets)

    seen = observe_requirement(state, resource, here)
    assert isinstance(seen, Present)
    assert seen.attributes == {"reach": "two port 22: no answer within 5 s"}
    assert met(Conditions({}, answers=dict.fromkeys(targets, "ok")), resource)
    assert isinstance(observe_requirement(Conditions({}), resource, here), Unknown)


@pytest.mark.parametrize("made", [False, True])
def test_what_the_first_start_needs_blocks_until_that_was_made(
    *, made: bool, body: Callable[[str], str], tmp_path: Path
) -> None:
    key = tmp_path / "the node's key"
    if made:
        key.touch()
    resource = need("cores", minimum=10_000, until=str(key))

    seen = observe_requirement(FACT.parse(body(FACT.script([resource], Look()))), resource, HERE)

    assert isinstance(seen, Present)
    assert seen.attributes != wanted_requirement(Conditions({}), resource, HERE)
    assert seen.blocks is not made


def test_without_an_end_it_blocks_always() -> None:
    seen = observe_requirement(
        Conditions({"cores": 4}, there=frozenset({"/x"})), need("cores", minimum=8), HERE
    )

    assert isinstance(seen, Present)
    assert seen.blocks
