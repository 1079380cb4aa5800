"""The hub: what it lists is what it sends, and its weights are valid safetensors."""

from __future__ import annotations

import hashlib
import json
import struct
import threading
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from gonka_state.lab.standins.hub import Hub, byte_range
from gonka_state.lab.standins.hubfiles import files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODEL, COMMIT = "Qwen/Qwen3-32B-FP8", "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    control = tmp_path / "hub.json"
    control.write_text(json.dumps({"models": {MODEL: COMMIT}}))
    server = Hub(("127.0.0.1", 0), control)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:  # noqa: S310
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, dict(refused.headers), refused.read()


def test_weights_are_valid_safetensors_and_the_index_names_them() -> None:
    found = files(MODEL, COMMIT)
    index = json.loads(found["model.safetensors.index.json"].data)
    for tensor, shard in index["weight_map"].items():
        data = found[shard].data
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        assert tensor in header
        end = max(item["data_offsets"][1] for name, item in header.items() if name != "__metadata__")
        assert len(data) == 8 + length + end


def test_bytes_follow_from_model_and_revision() -> None:
    shard = "model-00001-of-00004.safetensors"
    assert files(MODEL, COMMIT)[shard].etag == files.__wrapped__(MODEL, COMMIT)[shard].etag
    assert files(MODEL, "0" * 40)[shard].etag != files(MODEL, COMMIT)[shard].etag
    assert sum(len(item.data) for item in files(MODEL, COMMIT).values()) < 5_000_000


def test_the_tree_lists_what_is_sent(hub: str) -> None:
    entries = json.loads(get(f"{hub}/api/models/{MODEL}/tree/{COMMIT}?recursive=true")[2])
    assert len(entries) == len(files(MODEL, COMMIT))
    for entry in entries:
        status, headers, body = get(f"{hub}/{MODEL}/resolve/{COMMIT}/{entry['path']}")
        assert (status, len(body), headers["X-Repo-Commit"]) == (200, entry["size"], COMMIT)
        if "lfs" in entry:
            assert hashlib.sha256(body).hexdigest() == entry["lfs"]["oid"]
            assert headers["X-Linked-Etag"] == f'"{entry["lfs"]["oid"]}"'


def test_a_branch_is_its_commit_and_any_commit_is_served(hub: str) -> None:
    assert json.loads(get(f"{hub}/api/models/{MODEL}/revision/main")[2])["sha"] == COMMIT
    assert json.loads(get(f"{hub}/api/models/{MODEL}/revision/{'1' * 40}")[2])["sha"] == "1" * 40


def test_what_is_not_there_is_404_with_the_code_that_the_client_reads(hub: str) -> None:
    for path, code in (
        ("api/models/no/such/revision/main", "RepoNotFound"),
        (f"api/models/{MODEL}/revision/dev", "RevisionNotFound"),
        (f"{MODEL}/resolve/{COMMIT}/nope.bin", "EntryNotFound"),
    ):
        status, headers, _ = get(f"{hub}/{path}")
        assert (status, headers["X-Error-Code"]) == (404, code)


def test_a_part_is_206_and_past_the_end_is_416(hub: str) -> None:
    url, size = f"{hub}/{MODEL}/resolve/{COMMIT}/config.json", len(files(MODEL, COMMIT)["config.json"].data)
    status, headers, body = get(url, Range="bytes=5-9")
    assert (status, body, headers["Content-Range"]) == (
        206,
        files(MODEL, COMMIT)["config.json"].data[5:10],
        f"bytes 5-9/{size}",
    )
    assert get(url, Range=f"bytes={size}-")[0] == 416
    assert byte_range("bytes=3-", 10) == (3, 9)
    assert byte_range("", 10) is None


def test_it_fails_on_request(hub: str, tmp_path: Path) -> None:
    (tmp_path / "hub.json").write_text(json.dumps({"models": {MODEL: COMMIT}, "fail": "500"}))
    assert get(f"{hub}/api/models/{MODEL}/revision/main")[0] == 500
