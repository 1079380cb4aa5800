"""The packages that hosts install: an index that apt itself reads, and what a download consists of."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gonka_state.lab import packages
from gonka_state.lab.paths import STANDINS

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = """\
Package: lab-probe
Version: 1:2.0-1
Architecture: all
Maintainer: lab <lab@invalid>
Description: an empty package
 with a second line
"""
SIMULATED = """\
NOTE: This is only a simulation!
Inst liberror-perl (0.17029-2 Debian:12.11/oldstable [all])
Inst git (1:2.39.5-0+deb12u3 Debian:12.11/oldstable, Debian-Security:12/oldstable-security [amd64])
Inst curl [7.0-1] (7.88.1-10+deb12u15 Debian:12.11/oldstable [amd64])
Conf git (1:2.39.5-0+deb12u3 Debian:12.11/oldstable [amd64])
"""


def test_a_plan_of_apts_is_read_as_names_versions_and_architectures() -> None:
    assert packages.planned(SIMULATED) == [
        "liberror-perl_0.17029-2_all.deb",
        "git_1%3a2.39.5-0+deb12u3_amd64.deb",
        "curl_7.88.1-10+deb12u15_amd64.deb",
    ]


@pytest.mark.skipif(not shutil.which("apt-get"), reason="no apt here")
def test_apt_reads_the_index_and_downloads_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "tree/DEBIAN").mkdir(parents=True)
    (tmp_path / "tree/DEBIAN/control").write_text(CONTROL)
    offered = tmp_path / "apt"
    offered.mkdir()
    archive = offered / "lab-probe_1%3a2.0-1_all.deb"
    subprocess.run(["dpkg-deb", "--build", tmp_path / "tree", archive], check=True, capture_output=True)
    packages.index(offered)
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] copy:{offered} ./\n")
    for name in ("lists", "cache", "got"):
        (tmp_path / name / "partial").mkdir(parents=True)
    (tmp_path / "status").touch()
    places = {
        "Dir::Etc::SourceList": tmp_path / "sources.list", "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State::lists": tmp_path / "lists", "Dir::State::status": tmp_path / "status",
        "Dir::Cache": tmp_path / "cache", "Dir::Cache::archives": tmp_path / "got",
        "Debug::NoLocking": "true", "APT::Sandbox::User": "root",
    }  # fmt: skip
    options = [word for key, value in places.items() for word in ("-o", f"{key}={value}")]

    update = subprocess.run(["apt-get", *options, "update"], check=True, capture_output=True, text=True)
    install = ["apt-get", *options, "--yes", "--download-only", "install", "lab-probe"]
    subprocess.run(install, check=True, capture_output=True, text=True)

    assert "W:" not in update.stderr
    (got,) = (tmp_path / "got").glob("*.deb")
    assert hashlib.sha256(got.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()


@pytest.mark.parametrize(("wanted", "number"), [("all", "8"), ("1,2", "2"), ("7", "1")])
def test_a_container_is_told_how_many_cards_it_has(tmp_path: Path, wanted: str, number: str) -> None:
    assert hook(tmp_path, wanted) == (0, "")
    assert (tmp_path / "rootfs/etc/gonka-state-lab/gpus").read_text().strip() == number


def test_a_card_that_is_not_there_is_refused(tmp_path: Path) -> None:
    status, said = hook(tmp_path, "8")
    assert (status, said) == (1, "nvidia-container-cli: device error: 8: unknown device: unknown")


def hook(bundle: Path, wanted: str) -> tuple[int, str]:
    config = {"process": {"env": ["A=b=c", f"NVIDIA_VISIBLE_DEVICES={wanted}"]}, "root": {"path": "rootfs"}}
    (bundle / "config.json").write_text(json.dumps(config))
    done = subprocess.run(
        [sys.executable, STANDINS / "host/nvidia-container-runtime-hook", "prestart"],
        input=json.dumps({"bundle": str(bundle)}), check=False, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stderr.strip()
