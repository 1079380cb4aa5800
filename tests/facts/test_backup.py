"""A backup's state has one meaning each, and keys that are missing are new only where nobody has them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.backup import FACT, BackupState, read_repository
from gonka_state.facts.backup_observed import observe_backup, observe_restored
from gonka_state.facts.here import Here
from gonka_state.resources.backup import BackupResource
from gonka_state.resources.restored_keys import KEYS, RestoredKeysResource

HERE = Here("h", {})
NOW = 1_795_700_000.0
PLACES: dict[str, Any] = {"program": "/opt/gonka-state/backup", "directory": "/j"}
WISH = BackupResource(name="c", repository="/r", max_age=3600, check=86400, **PLACES)
KEPT = RestoredKeysResource(name="/j", file="c.yaml", account="gonka1x", seed_api="http://s", **PLACES)
UP = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "NeedDaemonReload": "no"}
TAKEN = {"snapshot": "0123abcd", "time": NOW - 60, "keys": list(KEYS), "checked": NOW - 60}
SNAPSHOT = {
    "id": "0123abcd",
    "time": NOW,
    "host": "h",
    "paths": ["/j/.tmkms", "/j/.inference/keyring-file"],
    "bytes": 1,
}


def state(**values: Any) -> BackupState:  # noqa: ANN401 (fields of many types)
    usual: dict[str, Any] = {
        "now": NOW, "units": {"timer": UP, "service": UP}, "keys": dict.fromkeys(KEYS, 1.0), "status": TAKEN,
    }  # fmt: skip
    return BackupState(**{**usual, **values})


def differing(found: object) -> set[str]:
    assert isinstance(found, Present)
    return {name for name, value in found.attributes.items() if not value}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, set()),
        ({"status": {**TAKEN, "time": NOW - 3601}}, {"fresh"}),
        ({"status": {**TAKEN, "checked": NOW - 86400 - 3601}}, {"checked"}),
        ({"status": {**TAKEN, "check_problem": "pack is damaged"}}, {"checked"}),
        ({"status": {**TAKEN, "keys": ["keyring"]}}, {"whole"}),
        ({"status": {**TAKEN, "keys": ["keyring"]}, "keys": {"keyring": 1.0, "node-key": NOW}}, set()),
        ({"units": {"timer": {**UP, "UnitFileState": "disabled"}, "service": UP}}, {"scheduled"}),
        ({"units": {"timer": {**UP, "ActiveState": "inactive"}, "service": UP}}, {"scheduled"}),
        ({"units": {"timer": UP, "service": {**UP, "NeedDaemonReload": "yes"}}}, {"scheduled"}),
        ({"units": {}}, {"scheduled"}),
    ],
)
def test_each_way_of_being_stale_has_its_attribute(values: dict[str, Any], expected: set[str]) -> None:
    assert differing(observe_backup(state(**values), WISH, HERE)) == expected


def test_before_the_first_snapshot_it_is_absent_and_says_why_the_run_failed() -> None:
    found = observe_backup(state(status={"failure": "no route to host"}), WISH, HERE)

    assert isinstance(found, Absent)
    assert "no route to host" in found.reason


def test_a_status_of_another_shape_is_not_believed() -> None:
    with pytest.raises(FactError):
        observe_backup(state(status={"snapshot": "x", "time": "yesterday"}), WISH, HERE)


@pytest.mark.parametrize(
    ("values", "settled"),
    [
        ({}, True),
        ({"keys": {}, "settled": {"new": list(KEYS)}}, True),
        ({"keys": {}, "asked": True, "snapshots": None, "registered": "no"}, True),
        ({"keys": {}, "asked": True, "snapshots": [], "registered": ""}, True),
        ({"keys": {}, "asked": True, "snapshots": [], "registered": "yes"}, False),
        ({"keys": {}, "asked": True, "snapshots": [SNAPSHOT], "registered": "no"}, False),
        ({"keys": {"keyring": 1.0, "consensus-key": 1.0}, "asked": True, "snapshots": [SNAPSHOT]}, True),
        ({"keys": {"keyring": 1.0, "node-key": 1.0}, "asked": True, "snapshots": [SNAPSHOT]}, False),
        ({"keys": {}, "settled": {"new": ["node-key"]}, "asked": True, "snapshots": [SNAPSHOT]}, False),
    ],
)
def test_keys_are_new_only_where_no_snapshot_has_them(values: dict[str, Any], settled: bool) -> None:  # noqa: FBT001
    found = observe_restored(state(**values), KEPT, HERE)

    assert isinstance(found, Present)
    assert found.attributes == {"settled": settled}
    assert bool(found.reason) is not settled


@pytest.mark.parametrize(
    ("values", "pending_on"),
    [
        ({"trouble": "wrong password"}, ""),
        ({"trouble": "the backup is not set up", "absent": True}, "file"),
        ({"trouble": "restic is not installed", "absent": True}, "package"),
        ({"snapshots": [], "registered": "http://s does not answer"}, ""),
        ({"asked": False}, ""),
    ],
)
def test_what_nobody_can_tell_makes_no_keys(values: dict[str, Any], pending_on: str) -> None:
    found = observe_restored(state(keys={}, **{"asked": True, **values}), KEPT, HERE)

    assert isinstance(found, Unknown)
    assert found.pending_on == pending_on


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    for read in (FACT.parse, read_repository):
        try:
            read(text)
        except FactError:
            continue
