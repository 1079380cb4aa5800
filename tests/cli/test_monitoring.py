"""`monitoring`: files for Prometheus and Grafana, and never over somebody else's."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran

    Cli = Callable[..., Ran]

CLUSTER = """\
cluster: watched
ssh: {user: u, key: k, known_hosts: h}
roles: {ml: {MONITORING}}
hosts:
  n: {address: 10.0.0.1, role: network}
  a: {address: 10.0.0.2, role: ml}
"""
WATCHED = CLUSTER.replace("MONITORING", "monitoring: {from: 10.0.0.9}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "watched.yaml"
    path.write_text(WATCHED)
    return path


def test_all_files_are_written_and_named(cli: Cli, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "made" / "here"

    ran = cli(
        "monitoring",
        str(file),
        "-o",
        str(out),
        "--checker",
        "10.0.0.9:9100",
        "--alertmanager",
        "[fd00::1]:9093",
    )

    assert (ran.status, ran.err) == (0, "")
    names = ["prometheus.yml", "rules.yml", "dashboard.json", "targets/watched.json"]
    assert ran.out.splitlines() == [str(out / name) for name in names]
    assert all((out / name).stat().st_mode & 0o777 == 0o644 for name in names)
    configuration = YAML(typ="safe").load((out / "prometheus.yml").read_text())
    assert [job["job_name"] for job in configuration["scrape_configs"]] == ["gonka-hosts", "gonka-checks"]
    (target,) = json.loads((out / "targets/watched.json").read_text())
    assert target["targets"] == ["10.0.0.2:9101"]


def test_what_was_written_is_written_again(cli: Cli, file: Path, tmp_path: Path) -> None:
    cli("monitoring", str(file), "-o", str(tmp_path / "out"), "--drift-after", "1m")

    assert cli("monitoring", str(file), "-o", str(tmp_path / "out"), "--drift-after", "2m").status == 0
    (rule,) = [
        line
        for line in (tmp_path / "out/rules.yml").read_text().split("- alert: ")
        if line.startswith("GonkaDrift\n")
    ]
    assert "for: 120s" in rule


def test_somebody_elses_configuration_is_left_alone(cli: Cli, file: Path, tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("global: {}\n")

    ran = cli("monitoring", str(file), "-o", str(tmp_path))

    assert ran.status == 4
    assert f"{tmp_path}/prometheus.yml is somebody else's, and nothing was written" in ran.err
    assert (tmp_path / "prometheus.yml").read_text() == "global: {}\n"
    assert not (tmp_path / "rules.yml").exists()


def test_a_cluster_without_monitoring_is_refused_with_what_to_write(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "bare.yaml"
    file.write_text(CLUSTER.replace("{MONITORING}", "{}"))

    ran = cli("monitoring", str(file), "-o", str(tmp_path / "out"))

    assert ran.status == 4
    assert "no host of watched declares monitoring" in ran.err
    assert "monitoring: {from: [10.0.0.5]}" in ran.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Missing option '-o'"),
        (("-o", "out", "--every", "often"), "'often' is no span of time"),
        (("-o", "out", "--checker", "10.0.0.9"), "'10.0.0.9' is no HOST:PORT"),
        (("-o", "out", "--alertmanager", "http://a:1"), "is no HOST:PORT"),
    ],
)
def test_mistakes_of_the_command_line(cli: Cli, file: Path, words: tuple[str, ...], said: str) -> None:
    ran = cli("monitoring", str(file), *words)

    assert ran.status == 4
    assert said in ran.err


def test_a_place_that_cannot_be_written_is_told(cli: Cli, file: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "targets").write_text("")

    ran = cli("monitoring", str(file), "-o", str(tmp_path / "out"))

    assert ran.status == 1
    assert "cannot be made" in ran.err
