"""The overlay's words, and the files that make a host itself."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING

from ruamel.yaml import YAML

from gonka_state.lab import LabHost, LabSpec, packages, recipe
from gonka_state.lab.hosts import daemon_json, hosts_file, sources_list
from gonka_state.lab.overlay import ACCOUNT, document, write
from gonka_state.lab.records import Record, read
from gonka_state.lab.spec import Plan

if TYPE_CHECKING:
    import pytest

SPEC = LabSpec("c", "ubuntu", (LabHost("c-ml-01", "ml"), LabHost("c-network", "network")), {"a/b": "0" * 40})
PLAN = Plan.parse("10.77.0.0/24")
RECORD = Record(SPEC, PLAN, Path("/base"), "1" * 40)


def test_the_overlay_points_at_the_lab_and_keeps_its_secret_apart(state_home: Path) -> None:
    del state_home
    RECORD.paths.root.mkdir(parents=True)
    write(SPEC, RECORD.info, RECORD.paths)
    text = RECORD.paths.overlay.read_text()
    found = YAML(typ="safe").load(text)
    assert list(found) == [
        "cluster", "lab", "ssh", "network", "repository", "hub", "requirements", "roles", "hosts",
    ]  # fmt: skip
    assert found["network"]["public_host"] == "10.77.0.12"
    assert found["hosts"] == {"c-ml-01": {"address": "10.77.0.11"}, "c-network": {"address": "10.77.0.12"}}
    assert found["repository"] == {"url": "http://10.77.0.1:8418/gonka.git", "ref": "1" * 40}
    secret = RECORD.paths.keyring_password
    assert found["network"]["keyring_password"] == {"file": str(secret)}
    assert secret.read_text().strip() not in text
    assert {path.stat().st_mode & 0o777 for path in (secret, RECORD.paths.overlay)} == {0o600}


def test_hosts_install_from_the_lab_and_the_client_is_the_one_in_the_lock(state_home: Path) -> None:
    del state_home
    role = document(SPEC, RECORD.info, RECORD.paths, "ID=debian")["roles"]["ml"]  # type: ignore[index]
    assert role["tools"]["hf"]["wheels"] == "http://10.77.0.1:8490/wheels/"
    assert f"huggingface-hub=={role['tools']['hf']['version']} " in packages.LOCK.read_text()
    assert set(role["packages"]) <= {*packages.OFFERED, *recipe.PACKAGES}
    assert sources_list(PLAN) == "deb [trusted=yes] http://10.77.0.1:8490/apt ./\n"


def test_the_account_is_a_compressed_public_key() -> None:
    key = base64.b64decode(ACCOUNT, validate=True)
    assert (len(ACCOUNT), len(key), key[0] in {2, 3}) == (44, 33, True)


def test_a_record_is_read_as_it_was_written(state_home: Path) -> None:
    del state_home
    RECORD.paths.root.mkdir(parents=True)
    RECORD.write()
    assert read("c") == RECORD
    RECORD.paths.record.write_text('{"cluster": "c"')
    assert read("c") is None


def test_a_host_knows_itself_first_and_finds_the_registry_by_its_real_name() -> None:
    lines = hosts_file(SPEC, PLAN, "c-network").splitlines()
    assert "10.77.0.12 c-network" in lines
    assert "10.77.0.1 ghcr.io" in lines
    settings = json.loads(daemon_json(PLAN))
    assert settings["registry-mirrors"] == ["http://10.77.0.1"]
    assert "ghcr.io" in settings["insecure-registries"]


def test_ssh_trusts_nothing_on_sight(state_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(state_home))
    words = RECORD.info.ssh("c-network")
    assert "StrictHostKeyChecking=yes" in words
    assert words[-1] == "ubuntu@10.77.0.12"
