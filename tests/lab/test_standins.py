"""The other stand-ins: phases, ML node, public API, proxy and cards."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.lab.paths import STANDINS
from gonka_state.lab.standins import chainclock, proxy
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.chain import Chain
from gonka_state.lab.standins.checks import account_key_valid
from gonka_state.lab.standins.nginx import VERSION
from gonka_state.lab.standins.public import Public
from gonka_state.lab.standins.tmkms import ensure_key
from gonka_state.lab.standins.web import Request

if TYPE_CHECKING:
    from pathlib import Path

ORIGIN = 1_000_000


_STOPPED = """
import atexit
from gonka_state.lab.standins import web
atexit.register(print, "python took itself apart")
web.serve(0, None)
web.run_until_stopped(lambda: print("stopped"), lambda: print("up", flush=True))
"""


ANSWERS_NOTHING = {"__init__", "jsons", "mlclient", "rpcclient", "web"}
NOT_GONKAS = {"hub", "hubfiles", "completions"}
"""The hub is Hugging Face's; on completions gonka-contract has no chapter."""


def test_what_answers_as_gonka_does_says_which_chapter_it_follows() -> None:
    silent = {path.stem for path in STANDINS.glob("*.py") if not re.search(r"gonka-contract \d", doc(path))}

    assert silent == ANSWERS_NOTHING | NOT_GONKAS


def doc(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""


def test_a_container_that_is_told_to_stop_ends_at_once_and_well() -> None:
    """Its images have no libgcc: a thread that Python ends by it would abort the first process, with status 139."""
    with subprocess.Popen([sys.executable, "-c", _STOPPED], stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "up\n"
        program.terminate()
        said = program.stdout.read()

    assert (program.returncode, said.split("\n")[-2:]) == (0, ["stopped", ""])
    assert "apart" not in said


@pytest.mark.parametrize(
    ("into", "phase"),
    [
        (0, "PoCGenerate"),
        (57, "PoCGenerateWindDown"),
        (65, "PoCValidate"),
        (82, "PoCValidateWindDown"),
        (85, "Inference"),
    ],
)
def test_the_phase_follows_from_the_height(into: int, phase: str) -> None:
    assert chainclock.latest_epoch({"height": ORIGIN + into}, ORIGIN)["phase"] == phase


def test_a_test_may_say_what_the_phase_is() -> None:
    told = chainclock.latest_epoch({"phase": "PoCValidate", "confirmation_poc": True}, ORIGIN)
    assert (told["phase"], told["is_confirmation_poc_active"]) == ("PoCValidate", True)


def test_a_new_api_is_in_a_quiet_stretch_and_stays_there_over_a_restart(tmp_path: Path) -> None:
    state = ApiState(tmp_path, {})
    state.flush()
    assert ApiState(tmp_path, {}).epoch_origin == state.epoch_origin
    told = public(state, "/v1/epochs/latest")[1]
    assert told["phase"] == "Inference"
    assert (
        told["epoch_stages"]["set_new_validators"]
        < told["block_height"]
        < told["epoch_stages"]["next_poc_start"]
    )


def public(state: ApiState, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
    reply = Public(state).answer(Request(method, path, json.dumps(body).encode()))
    return reply.status, json.loads(reply.body)


def test_without_its_chain_node_an_api_knows_nobody(tmp_path: Path) -> None:
    assert public(ApiState(tmp_path, {}), "/v2/participants/gonka1x")[0] == 500
    assert (
        public(ApiState(tmp_path / "old", {"STANDIN_VERSION": "0.2.1"}), "/v1/participants/active")[0] == 500
    )


def test_versions_need_the_chain_node(tmp_path: Path) -> None:
    assert public(ApiState(tmp_path, {}), "/v1/versions")[0] == 500
    assert public(ApiState(tmp_path, {}), "/v1/status") == (200, {"status": "ok"})


def test_the_chain_keeps_its_identity_and_says_what_it_is_told(tmp_path: Path) -> None:
    first = Chain(tmp_path)
    assert Chain(tmp_path).identity == first.identity
    (tmp_path / "lab-control.json").write_text(json.dumps({"catching_up": True, "lag_seconds": 3600}))
    sync = first.status()["sync_info"]
    assert sync["catching_up"] is True
    assert int(sync["latest_block_height"]) == pytest.approx(chainclock.height() - 720, abs=2)


def test_the_signer_keeps_its_key(tmp_path: Path) -> None:
    assert ensure_key(tmp_path) == ensure_key(tmp_path)
    assert (tmp_path / "secrets/priv_validator_key.softsign").stat().st_mode & 0o777 == 0o600


def test_the_proxy_proves_itself_only_and_hides_the_chain() -> None:
    assert proxy.answer(Request("GET", "/health"), {}).body == b"healthy\n"
    assert proxy.answer(Request("GET", "/chain-rpc/status"), {}).status == 404
    assert proxy.answer(Request("GET", "/v1/poc-batches/1"), {}).status == 403


def test_the_side_car_cuts_the_version_off() -> None:
    assert VERSION.sub("", "/v3.0.8/api/v1/state") == "/api/v1/state"
    assert VERSION.sub("", "/v1/models") == "/v1/models"


@pytest.mark.parametrize(
    ("text", "valid"),
    [("A" * 44, False), ("no", False), ("Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY", True)],
)
def test_account_keys(text: str, *, valid: bool) -> None:
    assert account_key_valid(text) is valid


def smi(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", STANDINS / "host/nvidia-smi", *words], check=False, capture_output=True, text=True
    )


def test_cards_answer_queries_as_csv() -> None:
    lines = smi("--query-gpu=index,name,memory.total", "--format=csv,noheader,nounits").stdout.splitlines()
    assert lines[7] == "7, NVIDIA H100 80GB HBM3, 81559"
    assert smi("--query-gpu=memory.total", "--format=csv").stdout.splitlines()[:2] == [
        "memory.total",
        "81559 MiB",
    ]
    assert smi("--query-gpu=nonsense", "--format=csv").returncode == 2
    assert "CUDA Version: 12.8" in smi().stdout
    assert len(smi("-L").stdout.splitlines()) == 8
