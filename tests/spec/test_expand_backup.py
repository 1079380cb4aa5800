"""The words about the backup: what they become, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from gonka_state.spec.load import load
from tests.spec.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the password of a repository"  # noqa: S105 (of a test)


def wish(home: Path, words: str) -> dict[str, Any]:
    overlay = home / "overlay.yaml"
    overlay.write_text(f"cluster: cluster2\nbackup: {words}\n")
    models = {name: kind.resource for name, kind in KINDS.items()}
    (found,) = load([ROOT / "desired/cluster2.yaml"], overlays=[overlay], models=models, env={"P": SECRET})
    return {
        address.local: item for address, item in found.resources.items() if address.host == "cluster2-network"
    }


def test_it_becomes_files_a_package_and_two_kinds_of_its_own(tmp_path: Path) -> None:
    found = wish(
        tmp_path,
        "{repository: 'sftp:me@192.0.2.9:/srv/r', password: {env: P}, every: 1h, max_age: 3h, keep: {last: 2}}",
    )

    settings = json.loads(found["file:/opt/gonka-state/backup/settings.json"].resource.content)
    assert {"package:restic", "backup:cluster2", "restored-keys:/opt/gonka/deploy/join"} <= found.keys()
    assert settings["keep"] == ["--keep-last", "2"]
    assert settings["services"] == ["tmkms", "node", "api"]
    assert "/opt/gonka/deploy/join/config.env" in settings["paths"]
    assert found["backup:cluster2"].resource.max_age == 3 * 3600
    assert (
        "OnUnitActiveSec=3600s" in found["file:/etc/systemd/system/gonka-state-backup.timer"].resource.content
    )
    assert SECRET not in repr(found), "a secret is written at the last moment"


def test_a_secret_that_is_not_set_holds_back_its_file_alone(tmp_path: Path) -> None:
    found = wish(tmp_path, "{repository: /srv/r, password: {env: NOT_SET}}")

    assert [name for name, item in found.items() if "NOT_SET" in item.withheld] == [
        "file:/opt/gonka-state/backup/environment"
    ]


@pytest.mark.parametrize(
    ("repository", "command"),
    [
        ("sftp:me@h:/r", "ssh -o BatchMode=yes -o ConnectTimeout=15 -i /opt/gonka-state/backup/ssh_key -o IdentitiesOnly=yes me@h -s sftp"),
        ("sftp://me@h:2222//r", "ssh -o BatchMode=yes -o ConnectTimeout=15 -i /opt/gonka-state/backup/ssh_key -o IdentitiesOnly=yes -p 2222 me@h -s sftp"),
    ],
)  # fmt: skip
def test_an_ssh_key_is_named_to_restic_and_its_content_is_not(
    tmp_path: Path, repository: str, command: str
) -> None:
    found = wish(tmp_path, f"{{repository: '{repository}', password: x, ssh_key: {{env: P}}}}")

    assert (
        json.loads(found["file:/opt/gonka-state/backup/settings.json"].resource.content)["sftp_command"]
        == command
    )
    assert SECRET not in found["file:/opt/gonka-state/backup/ssh_key"].resource.content


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("{repository: somewhere, password: x}", "is no repository of restic"),
        ("{repository: 'sftp:nowhere', password: x}", "is no repository of restic"),
        ("{repository: 'rest:https://me:geheim@h/r', password: x}", "holds a password"),
        ("{repository: /r, password: x, every: 2d}", "max_age (26h) has to be longer than every (2d)"),
        ("{repository: /r, password: x, ssh_key: y}", "are for a repository that begins with sftp:"),
        ("{repository: /r, password: x, keep: {weeks: 2}}", "unknown key 'weeks'"),
        ("{repository: /r, password: x, check: soon}", "is no span of time"),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_secret(tmp_path: Path, words: str, problem: str) -> None:
    with pytest.raises(InputError) as refused:
        wish(tmp_path, words)

    assert problem in str(refused.value)
    assert "geheim" not in str(refused.value)
