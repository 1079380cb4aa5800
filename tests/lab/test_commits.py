"""The stand-in chain keeps who signed what, and a signer signs no block twice."""

from __future__ import annotations

import base64
import json
import socket
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock, web
from gonka_state.lab.standins.commits import Commits, address_of
from gonka_state.lab.standins.tmkms import Signer

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = base64.b64encode(bytes(32)).decode()


def hear(commits: Commits, height: int, signer: str) -> None:
    body = json.dumps({"height": height, "key": KEY, "signer": signer}).encode()
    commits.hear(web.Request("POST", "/", body))


def signers(commits: Commits, height: int) -> list[str]:
    said: Any = json.loads(commits.commit(web.Request("GET", f"/commit?height={height}")).body)
    return [item["validator_address"] for item in said["result"]["signed_header"]["commit"]["signatures"]]


def test_a_commit_names_its_validators(capsys: pytest.CaptureFixture[str]) -> None:
    commits = Commits()

    hear(commits, 7, "a")
    hear(commits, 7, "a")

    # the first twenty bytes of sha256 of 32 zero bytes
    assert signers(commits, 7) == ["66687AADF862BD776C8FC18B8E9F8E20089714856"[:40]] == [address_of(KEY)]
    assert signers(commits, 8) == []
    assert "DOUBLE SIGN" not in capsys.readouterr().err


def test_a_second_signer_of_a_block_is_a_double_signature(capsys: pytest.CaptureFixture[str]) -> None:
    commits = Commits()

    hear(commits, 7, "a")
    hear(commits, 7, "b")

    assert f"DOUBLE SIGN, a had signed it: 7 with {KEY} by b" in capsys.readouterr().err


def test_a_signer_signs_each_block_once_and_none_that_its_state_is_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        signer = Signer(tmp_path, "127.0.0.1", server.getsockname()[1])
        for height in (10, 10, 11):
            monkeypatch.setattr(chainclock, "height", lambda height=height: height)
            signer.tick()
        state = tmp_path / "state/priv_validator_state.json"
        state.write_text(json.dumps({**json.loads(state.read_text()), "height": "20"}))
        monkeypatch.setattr(chainclock, "height", lambda: 20)
        signer.tick()
        connection, _ = server.accept()
        with connection:
            connection.settimeout(2)
            lines = connection.recv(4096).decode().splitlines()
        assert signer.connection is not None
        signer.connection.close()

    assert [line.split()[2] for line in lines if len(line.split()) == 3] == ["10", "11"]
    assert sum(len(line.split()) == 2 for line in lines) == 4
