"""The program that tells node_exporter of the cards, run with what nvidia-smi really prints."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from gonka_state.lab.paths import STANDINS
from gonka_state.spec.expand_monitoring import TEXTFILES
from tests.spec.test_expand import changed, resource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

    Read = Callable[..., Desired[Resource]]

# One H200, driver 580.159.04; recorded 2026-11-26.
REAL = "0, GPU-db255724-6111-8d08-8cb0-fdb03d4d9508, NVIDIA H200, 580.159.04, 0, 143771, 0, 44, 103.69, 0"


@pytest.fixture
def told(read: Read, tmp_path: Path) -> Callable[[str], str]:
    """What the program writes where nvidia-smi is this script."""
    text = resource(
        read(small=changed(host="monitoring: {gpus: 8}")),
        "ml-01/file:/usr/local/lib/gonka-state/gonka-state-gpus",
    ).content
    where, programs = tmp_path / "textfiles", tmp_path / "bin"
    where.mkdir()
    programs.mkdir()

    def run(script: str) -> str:
        (programs / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
        (programs / "nvidia-smi").chmod(0o755)
        done = subprocess.run(
            ["sh", "-s"], input=text.replace(TEXTFILES, str(where)).replace("timeout -k 2 15", "timeout -k 2 1"), text=True, check=False, timeout=30,
            capture_output=True, env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        (file,) = where.iterdir()
        assert (file.name, file.stat().st_mode & 0o777) == ("gonka-state-gpus.prom", 0o644)
        return file.read_text()

    return run


def values(text: str) -> dict[str, str]:
    """Samples without labels, and those of card 0 by their name."""
    found = (re.fullmatch(r'(\w+)(?:\{gpu="0".*\})? (\S+)', line) for line in text.splitlines())
    return {match[1]: match[2] for match in found if match}


def test_a_real_card(told: Callable[[str], str]) -> None:
    text = told(f"echo '{REAL}'")

    assert values(text) == {
        "gonka_state_gpus_expected": "8",
        "gonka_state_gpus_readable": "1",
        "gonka_state_gpus": "1",
        "gonka_state_gpu_info": "1",
        "gonka_state_gpu_memory_used_bytes": "0",
        "gonka_state_gpu_memory_total_bytes": str(143771 * 2**20),
        "gonka_state_gpu_utilization_ratio": "0",
        "gonka_state_gpu_temperature_celsius": "44",
        "gonka_state_gpu_power_watts": "103.69",
        "gonka_state_gpu_ecc_uncorrected_errors": "0",
    }
    label = (
        'gpu="0",uuid="GPU-db255724-6111-8d08-8cb0-fdb03d4d9508",product="NVIDIA H200",driver="580.159.04"'
    )
    assert f"gonka_state_gpu_info{{{label}}} 1" in text


def test_what_a_card_does_not_tell_is_left_out(told: Callable[[str], str]) -> None:
    silent = REAL.replace("103.69, 0", "[N/A], [N/A]")

    found = values(told(f"echo '{silent}'"))

    assert {"gonka_state_gpu_power_watts", "gonka_state_gpu_ecc_uncorrected_errors"} & found.keys() == set()
    assert found["gonka_state_gpu_temperature_celsius"] == "44"


def test_eight_cards_of_a_lab_host(told: Callable[[str], str]) -> None:
    standin = STANDINS / "host" / "nvidia-smi"

    text = told(f'exec sh {standin} "$@"')

    assert text.count("\ngonka_state_gpu_temperature_celsius{") == 8
    names = re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE)
    assert len(names) == len(set(names)) == 10


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'No devices were found'; exit 6", {"gonka_state_gpus_readable": "1", "gonka_state_gpus": "0"}),
        ("echo 'NVIDIA-SMI has failed because ...'; exit 9", {"gonka_state_gpus_readable": "0"}),
        ("exec sleep 60", {"gonka_state_gpus_readable": "0"}),
    ],
    ids=["none", "broken", "hangs"],
)
def test_no_cards_are_an_answer_and_a_driver_that_does_not_answer_is_not(
    told: Callable[[str], str], script: str, expected: dict[str, str]
) -> None:
    assert values(told(script)) == {"gonka_state_gpus_expected": "8", **expected}
