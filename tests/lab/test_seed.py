"""The seed node and a chain that catches up: what is registered and granted, and who may know it when."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.bech32 import account_address, address_of
from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.lab.standins import chainclock, report, web
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.chain import Chain
from gonka_state.lab.standins.checks import Keys
from gonka_state.lab.standins.ledger import Ledger, write
from gonka_state.lab.standins.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
COLD, WARM = account_address(PUBKEY), address_of(bytes(range(20)))
PASSWORD = "correct horse"  # noqa: S105 (nobody's)
JOIN = {"address": COLD, "url": "http://203.0.113.12:8000", "validator_key": "KEY=", "pub_key": PUBKEY}
PARTICIPANT = "/productscience/inference/inference/participant/"


@pytest.fixture
def seed(tmp_path: Path) -> Seed:
    write(tmp_path / "seed.json", {"block_seconds": 0.001})
    return Seed(tmp_path / "seed.json")


def ask(seed: Seed, target: str, body: object = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    reply = seed.answer(web.Request(method, target, json.dumps(body).encode()))
    return reply.status, json.loads(reply.body) if reply.body else None


def edit(seed: Seed, **values: object) -> None:
    """What a test does to the file by hand."""
    write(seed.control.path, {**seed.control.read(), **values})


def grant(msg: str, granter: str, grantee: str, days: float = 100) -> dict[str, str]:
    expiration = chainclock.rfc3339(time.time() + days * 24 * 3600)
    return {"granter": granter, "grantee": grantee, "msg": msg, "expiration": expiration}


def test_a_registration_happens_once_and_shows_in_every_answer(seed: Seed) -> None:
    assert ask(seed, f"/v2/participants/{COLD}") == (404, {"error": "participant not found"})
    assert ask(seed, f"/chain-api{PARTICIPANT}{COLD}")[1]["code"] == 5

    assert ask(seed, "/v1/participants", JOIN) == (200, None)

    time.sleep(0.01)
    assert ask(seed, "/v1/participants", JOIN) == (500, {"error": "account already exists"})
    for path in (f"/v2/participants/{COLD}", f"/chain-api{PARTICIPANT}{COLD}"):
        told = ask(seed, path)[1]["participant"]
        assert (told["address"], told["inference_url"], told["validator_key"]) == (COLD, JOIN["url"], "KEY=")
    assert [item["id"] for item in ask(seed, "/v1/participants")[1]["participants"]] == [COLD]


def test_an_account_is_no_registration_and_keeps_one_from_happening(seed: Seed) -> None:
    edit(seed, accounts={COLD: {"pubkey": "", "balance": 7}})

    assert ask(seed, f"/v1/participants/{COLD}") == (200, {"pubkey": "", "balance": 7, "denom": "ngonka"})
    assert ask(seed, f"/v2/participants/{COLD}")[0] == 404
    assert ask(seed, "/v1/participants", JOIN)[0] == 500


def test_the_first_era_knows_participants_by_its_list_and_its_rest_alone(tmp_path: Path) -> None:
    write(tmp_path / "seed.json", {"version": "0.2.1", "block_seconds": 0.001})
    old = Seed(tmp_path / "seed.json")

    assert ask(old, f"/v2/participants/{COLD}") == (404, {"error": "Not Found"})
    assert ask(old, f"/v1/participants/{COLD}")[0] == 500
    assert ask(old, "/v1/participants", JOIN)[0] == 200


def test_grants_come_in_pages_and_expired_ones_do_not_come(seed: Seed) -> None:
    live = [grant(f"/m.{number}", COLD, WARM) for number in range(5)]
    edit(seed, page=2, grants=[*live, grant("/m.old", COLD, WARM, -1), grant("/m.0", WARM, COLD)])
    found: list[str] = []
    key: str | None = ""
    for _ in range(3):
        path = f"/chain-api/cosmos/authz/v1beta1/grants?granter={COLD}&grantee={WARM}&pagination.key={key}"
        page = ask(seed, path)[1]
        found += [item["authorization"]["msg"] for item in page["grants"]]
        key = page["pagination"]["next_key"]

    assert (found, key) == ([item["msg"] for item in live], None)
    to = ask(seed, f"/chain-api/cosmos/authz/v1beta1/grants/granter/{WARM}")[1]["grants"]
    assert [(item["granter"], item["grantee"]) for item in to] == [(WARM, COLD)]


def test_a_seed_may_keep_its_rest_to_itself(seed: Seed) -> None:
    edit(seed, chain_api=False)

    assert seed.answer(web.Request("GET", f"/chain-api{PARTICIPANT}{COLD}")).status == 404
    edit(seed, fail="500")
    assert ask(seed, "/v1/status")[0] == 500


def test_a_chain_catches_up_before_it_knows_anything(tmp_path: Path) -> None:
    chain = Chain(tmp_path)
    write(tmp_path / "seed.json", {"participants": {COLD: {}}})
    (tmp_path / "data").mkdir()
    write(tmp_path / "data/lab-ledger.json", {"participants": {COLD: {}}})
    status = chain.status()["sync_info"]

    assert status["catching_up"] is True
    assert int(status["latest_block_height"]) < chainclock.height() / 2
    assert chain.ledger().participants() == {}

    os.utime(tmp_path / ".node_initialized", (0, 0))
    chain = Chain(tmp_path)

    assert chain.status()["sync_info"]["catching_up"] is False
    assert int(chain.status()["sync_info"]["latest_block_height"]) == pytest.approx(
        chainclock.height(), abs=1
    )
    assert list(chain.ledger().participants()) == [COLD]


def test_how_long_it_takes_is_up_to_the_test(tmp_path: Path) -> None:
    write(tmp_path / "lab-control.json", {"sync_seconds": 0})

    assert Chain(tmp_path).status()["sync_info"]["catching_up"] is False


def test_a_chain_follows_its_seed_and_remembers_while_that_is_away(tmp_path: Path, seed: Seed) -> None:
    server = web.serve(0, seed.everything)
    write(tmp_path / "lab-control.json", {"sync_seconds": 0})
    chain = Chain(tmp_path)
    edit(seed, accounts={COLD: {}})

    chain.follow(f"tcp://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()
    chain.follow(f"tcp://127.0.0.1:{server.server_address[1]}")

    assert chain.ledger().account(COLD) == {}


def checks(monkeypatch: pytest.MonkeyPatch, state: ApiState, ledger: dict[str, Any]) -> dict[str, Any]:
    """The report of an API whose chain node answers with this."""
    sync = {"latest_block_height": "5", "latest_block_time": chainclock.rfc3339(time.time() - 5)}
    info = {"pub_key": {"value": "KEY="}}
    status = {"result": {"sync_info": {**sync, "catching_up": False}, "validator_info": info}}
    monkeypatch.setattr(report, "ask", lambda *_: status)
    monkeypatch.setattr(ApiState, "ledger", lambda _: Ledger(ledger))
    return {item["id"]: item for item in report.build(state)["checks"]}


def test_the_setup_report_tells_what_is_granted_and_registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state = ApiState(tmp_path, {"ACCOUNT_PUBKEY": PUBKEY, "KEY_NAME": "warm"})
    keyring = tmp_path / "keyring-file"
    keyring.mkdir()
    for name in ("warm.info", f"{bytes(range(20)).hex()}.address"):
        (keyring / name).touch()
    monkeypatch.setattr(report, "Keys", lambda state: Keys(state, keyring))
    ledger: dict[str, Any] = {"participants": {COLD: {"validator_key": "OTHER="}}}

    before = checks(monkeypatch, state, ledger)
    ledger["participants"][COLD]["validator_key"] = "KEY="
    ledger["grants"] = [grant(msg, COLD, WARM, 3) for msg in RELEASES[CURRENT]]
    ledger["allowances"] = [{"granter": COLD, "grantee": WARM}]
    after = checks(monkeypatch, state, ledger)

    assert before["permissions_granted"]["message"] == "Missing 20 of 20 required permissions"
    assert before["consensus_key_match"]["message"] == "Consensus key mismatch: local=KEY=, registered=OTHER="
    assert after["permissions_granted"]["message"] == "All 20 permissions granted, but 20 expiring soon"
    assert after["permissions_granted"]["details"]["warm_key_address"] == WARM
    failed = {name for name, item in after.items() if item["status"] == "FAIL"}
    assert failed == {"active_in_epoch", "validator_in_set"}


@pytest.fixture
def served(seed: Seed) -> Iterator[str]:
    server = web.serve(0, seed.answer)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def inferenced(
    home: Path, *words: str, stdin: str = f"{PASSWORD}\n", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "gonka_state.lab.standins.inferenced", *words, "--home", str(home)]
    return subprocess.run(
        argv, input=stdin, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **(env or {})}
    )  # fmt: skip


def test_registering_needs_no_keyring_and_works_once(tmp_path: Path, seed: Seed, served: str) -> None:
    words = ["register-new-participant", JOIN["url"], PUBKEY, "--node-address", served]

    without = inferenced(tmp_path, *words, stdin="")
    first = inferenced(tmp_path, *words, "--consensus-key", "KEY=", stdin="")
    again = inferenced(tmp_path, *words, "--consensus-key", "KEY=", stdin="")

    assert "DAPI_CHAIN_NODE__URL environment variable is not set" in without.stderr
    assert first.returncode == 0, first.stderr
    assert f"Account Address: {COLD}" in first.stdout
    assert f"Participant is now available at {served}/v2/participants/{COLD}" in first.stdout
    assert (again.returncode, "account already exists" in again.stderr) == (1, True)
    assert seed.ledger().participants()[COLD]["url"] == JOIN["url"]


def test_the_account_key_grants_by_its_name_and_renews(tmp_path: Path, seed: Seed, served: str) -> None:
    file = ("--keyring-backend", "file")
    made = inferenced(tmp_path, "keys", "add", "cold", *file, "--output", "json", stdin=f"{PASSWORD}\n" * 2)
    cold = json.loads(made.stdout)["address"]
    words = ["tx", "inference", "grant-ml-ops-permissions", "cold", WARM, "--from", "cold", *file,
             "--gas", "2000000", "--node", f"{served}/chain-rpc/"]  # fmt: skip

    unknown = inferenced(tmp_path, *words)
    edit(seed, accounts={cold: {}})
    by_address = inferenced(tmp_path, *words[:3], cold, *words[4:])
    done = inferenced(tmp_path, *words)
    again = inferenced(tmp_path, *words)

    assert f"account {cold} not found" in unknown.stderr
    assert f"failed to get operator key info: {cold}.info: key not found" in by_address.stderr
    for ran in (done, again):
        assert ran.returncode == 0, ran.stderr
        assert "Transaction confirmed successfully!\nBlock height: " in ran.stdout
    assert "skipping MsgGrantAllowance" in again.stdout
    assert [item["msg"] for item in seed.ledger().grants(granter=cold, grantee=WARM)] == list(
        RELEASES[CURRENT]
    )
    shown = inferenced(tmp_path, "query", "authz", "grants", cold, WARM, "--node", f"{served}/chain-rpc/")
    assert len(json.loads(shown.stdout)["grants"]) == 20


def test_an_account_that_exists_registers_with_its_own_signature(
    tmp_path: Path, seed: Seed, served: str
) -> None:
    file = ("--keyring-backend", "file")
    made = inferenced(tmp_path, "keys", "add", "cold", *file, "--output", "json", stdin=f"{PASSWORD}\n" * 2)
    cold = json.loads(made.stdout)["address"]
    edit(seed, accounts={cold: {}})
    words = ["tx", "inference", "submit-new-participant", "http://h:8000", "--validator-key", "K=",
             "--from", "cold", *file, "--node", f"{served}/chain-rpc/"]  # fmt: skip

    refused = inferenced(tmp_path, *words, stdin=f"{PASSWORD}\nn\n")
    done = inferenced(tmp_path, *words, stdin=f"{PASSWORD}\ny\n")
    time.sleep(0.01)

    assert "canceled transaction" in refused.stderr
    assert "txhash: " in done.stdout, done.stderr
    known = seed.ledger().participants()[cold]
    assert (known["url"], known["validator_key"]) == ("http://h:8000", "K=")


def test_the_first_release_grants_more_types_and_no_fees(tmp_path: Path, seed: Seed, served: str) -> None:
    file = ("--keyring-backend", "file")
    old = {"STANDIN_VERSION": "0.2.1"}
    made = inferenced(tmp_path, "keys", "add", "cold", *file, "--output", "json", stdin=f"{PASSWORD}\n" * 2)
    cold = json.loads(made.stdout)["address"]
    edit(seed, accounts={cold: {}})

    done = inferenced(
        tmp_path, "tx", "inference", "grant-ml-ops-permissions", "cold", WARM, "--from", "cold", *file,
        "--node", f"{served}/chain-rpc/", env=old,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert len(seed.ledger().grants(grantee=WARM)) == 25
    assert seed.ledger().allowance(cold, WARM) is None


def test_nobody_signs_for_somebody_else(seed: Seed) -> None:
    message = {"@type": "/cosmos.authz.v1beta1.MsgGrant", **grant("/m", WARM, COLD)}
    raw = base64.b64encode(json.dumps({"signer": COLD, "messages": [message]}).encode()).decode()
    digest = ask(seed, "/chain-rpc/", {"params": {"tx": raw}})[1]["result"]["hash"]
    time.sleep(0.01)

    assert ask(seed, f"/chain-rpc/tx?hash=0x{digest}")[1]["result"]["tx_result"]["code"] == 1
    assert seed.ledger().grants() == []
