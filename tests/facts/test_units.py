"""Units: every state of systemd has one meaning, and any answer is understood or refused."""

from __future__ import annotations

import importlib
import time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.core.observation import Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import Look, split_parts
from gonka_state.facts.here import Here
from gonka_state.facts.units import FACT, UnitsState, observe_service
from gonka_state.resources.service import ServiceResource
from tests.facts.conftest import run_body

if TYPE_CHECKING:
    from pathlib import Path

HERE = Here("h", {})
UP = {"LoadState": "loaded", "ActiveState": "active", "SubState": "running", "UnitFileState": "enabled"}


def seen(wish: ServiceResource, **properties: str) -> Present:
    found = observe_service(UnitsState({wish.unit: UP | properties}), wish, HERE)
    assert isinstance(found, Present)
    return found


@pytest.mark.parametrize(
    ("active", "sub", "running"),
    [
        ("active", "running", True), ("active", "exited", True), ("reloading", "reload", True),
        ("activating", "start", "starting"), ("activating", "auto-restart", "restarting"),
        ("inactive", "dead", False), ("failed", "failed", False), ("deactivating", "stop-sigterm", False),
    ],
)  # fmt: skip
def test_every_state_says_whether_it_runs(active: str, sub: str, running: Any) -> None:  # noqa: ANN401
    found = seen(ServiceResource(name="a", running=True), ActiveState=active, SubState=sub)

    assert found.attributes["running"] == running


@pytest.mark.parametrize(
    ("file", "wanted", "enabled", "human"),
    [
        ("enabled", True, True, False), ("alias", True, True, False), ("disabled", True, False, False),
        ("enabled-runtime", True, "until the next boot", False), ("enabled-runtime", False, "until the next boot", False),
        ("static", True, "static", True), ("static", False, False, False), ("masked", True, "masked", True),
        ("masked", False, False, False), ("", True, False, False), ("generated", True, "generated", True),
    ],
)  # fmt: skip
def test_every_state_says_whether_it_starts_at_boot(
    file: str,
    wanted: bool,  # noqa: FBT001  (a parameter of the test)
    enabled: Any,  # noqa: ANN401
    human: bool,  # noqa: FBT001
) -> None:
    found = seen(ServiceResource(name="a", enabled=wanted), UnitFileState=file)

    assert (found.attributes["enabled"], bool(found.human)) == (enabled, human)


def test_a_masked_unit_that_runs_is_in_sync() -> None:
    found = seen(ServiceResource(name="a", running=True), UnitFileState="masked")

    assert (found.attributes["running"], found.human) == (True, "")


def test_a_unit_that_no_package_has_brought_yet_is_known_later() -> None:
    wish = ServiceResource(name="a.timer", running=True)

    found = observe_service(UnitsState({"a.timer": {"LoadState": "not-found"}}), wish, HERE)

    assert isinstance(found, Unknown)
    assert found.pending_on == "package"


CONF = "/etc/a.conf"
READS = ServiceResource(name="a", running=True, restart_on=(CONF,))


@pytest.mark.parametrize(
    ("written", "started", "current"),
    [(1000.0, 60, True), (1000.0 + 59.99, 60, True), (1000.0 + 60.2, 60, False), (2000.0, 60, False)],
)
def test_a_file_that_is_newer_than_the_start_was_not_read(
    written: float,
    started: int,
    current: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    unit = UP | {"ActiveEnterTimestampMonotonic": str(started * 1_000_000)}

    found = observe_service(UnitsState({READS.unit: unit}, 1000.0, {CONF: written}), READS, HERE)

    assert isinstance(found, Present)
    assert found.attributes["current"] is current
    assert (CONF in found.reason) is not current


def test_a_unit_that_does_not_run_reads_its_files_when_it_starts() -> None:
    unit = UP | {"ActiveState": "inactive", "SubState": "dead", "ActiveEnterTimestampMonotonic": "1"}

    found = observe_service(UnitsState({READS.unit: unit}, 1000.0, {CONF: 2000.0}), READS, HERE)

    assert isinstance(found, Present)
    assert found.attributes == {"running": False, "enabled": True, "current": True}


def test_times_that_were_not_asked_for_are_not_known() -> None:
    assert isinstance(observe_service(UnitsState({READS.unit: UP}), READS, HERE), Unknown)


def test_a_unit_whose_own_file_is_declared_is_known_after_the_file() -> None:
    wish = ServiceResource(name="a.timer", running=True, restart_on=("/etc/systemd/system/a.timer",))

    found = observe_service(UnitsState({"a.timer": {"LoadState": "not-found"}}), wish, HERE)

    assert isinstance(found, Unknown)
    assert found.pending_on == "file"


def test_the_times_are_this_hosts_own(tmp_path: Path) -> None:
    there, gone = tmp_path / "a b", tmp_path / "gone"
    there.write_text("")
    wish = ServiceResource(name="a", restart_on=(str(there), str(gone)))
    script = "\n".join(
        line for line in FACT.script([wish], Look()).split("\n") if "systemctl show" not in line
    )

    parts = split_parts(run_body(script.replace("command -v systemctl", ":")))
    now, up, file = parts.need("written").lines
    assert abs(float(now) - time.time()) < 60
    assert 0 < float(up) < float(now)
    written, path = file.split(" ", 1)
    assert (path, abs(float(written) - there.stat().st_mtime) < 1e-5) == (str(there), True)


@pytest.mark.parametrize(
    ("name", "effect"),
    [
        ("docker", Effect.DISRUPTIVE),
        ("systemd-journald", Effect.SAFE),
        ("gonka-state-gpus.timer", Effect.SAFE),
    ],
)
def test_a_restart_is_disruptive_where_somebody_may_notice(name: str, effect: Effect) -> None:
    change = AttributeChange("current", before=False, after=True)

    assert ServiceResource(name=name).effect(Action.UPDATE, (change,)) is effect
    stop = AttributeChange("running", before=True, after=False)
    assert ServiceResource(name=name).effect(Action.UPDATE, (stop,)) is Effect.DISRUPTIVE


@pytest.mark.parametrize(("after", "effect"), [(True, Effect.SAFE), (False, Effect.DISRUPTIVE)])
@pytest.mark.parametrize("attribute", ["running", "enabled"])
def test_stopping_is_disruptive_and_starting_is_not(
    attribute: str,
    after: bool,  # noqa: FBT001  (a parameter of the test)
    effect: Effect,
) -> None:
    change = AttributeChange(attribute, not after, after)

    assert ServiceResource(name="a").effect(Action.UPDATE, (change,)) is effect


@pytest.mark.parametrize(
    ("name", "unit"),
    [("docker", "docker.service"), ("a.b", "a.b.service"), ("x.timer", "x.timer"), ("g@1", "g@1.service")],
)
def test_a_name_without_a_type_is_a_service(name: str, unit: str) -> None:
    assert ServiceResource(name=name).unit == unit


@given(st.lists(st.sampled_from(["a.service", "b.service"]), max_size=3), st.text(max_size=80))
def test_any_answer_is_understood_or_refused(names: list[str], text: str) -> None:
    asked = "\n".join(names)
    framed = f"#@x part asked\n{asked}\n#@x rc 0\n#@x part shown\n{text}\n#@x rc 0\n"
    for answer in (text, framed):
        try:
            state = FACT.parse(answer)
        except FactError:
            continue
        seen = observe_service(state, ServiceResource(name="a", running=True), HERE)
        assert isinstance(seen, Present | Unknown)


def test_it_can_be_used_alone() -> None:
    assert "-- docker.service cron.service" in FACT.standalone(unit="docker,cron")
    with pytest.raises(FactError, match="takes unit="):
        FACT.standalone(name="a")
    assert importlib.import_module("gonka_state.facts.units").Units.name.endswith("Units")
