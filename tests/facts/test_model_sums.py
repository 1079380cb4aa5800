"""Checksums of models on real files: hashed by the section's own script, judged against names and listings."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Present, Unknown
from gonka_state.facts.base import PRELUDE, Look, Part
from gonka_state.facts.here import Here
from gonka_state.facts.model_cache import Cached, Entry, Sum, judge
from gonka_state.facts.model_observed import observe_model
from gonka_state.facts.model_sums import read_sums
from gonka_state.facts.models import FACT
from gonka_state.resources.model import ModelResource

if TYPE_CHECKING:
    from gonka_state.core.observation import Observation

COMMIT = "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"
LARGE, SMALL = b"large " * 1000, b"{}\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()  # noqa: S324  (git's own name)


@pytest.fixture
def model(tmp_path: Path) -> ModelResource:
    """A model whose files are named by what is in them, as the client does it."""
    root = tmp_path / "hub/models--Org--Model"
    snapshot = root / "snapshots" / COMMIT
    for path in (root / "blobs", snapshot / "with space", root / "trees"):
        path.mkdir(parents=True)
    files = {"model.safetensors": (LARGE, sha256(LARGE)), "with space/it's.json": (SMALL, git(SMALL))}
    for name, (data, blob) in files.items():
        (root / "blobs" / blob).write_bytes(data)
        (snapshot / name).symlink_to(os.path.relpath(root / "blobs" / blob, (snapshot / name).parent))
    listing = {
        "model.safetensors": {"size": len(LARGE), "blob_id": "x", "lfs_size": len(LARGE), "lfs_sha256": sha256(LARGE)},
        "with space/it's.json": {"size": len(SMALL), "blob_id": git(SMALL)},
    }  # fmt: skip
    tree = json.dumps({"format_version": 1, "files": listing}, indent=1)
    (root / "trees" / f"{COMMIT}.json").write_text(tree)
    return ModelResource(name="Org/Model", revision=COMMIT, home=str(tmp_path), endpoint="http://127.0.0.1:9")


def run(script: str) -> str:
    return subprocess.run(
        ["sh", "-s"], input=f"M='#@t'\n{PRELUDE}\n{script}\n", capture_output=True, check=True, text=True
    ).stdout


def verified(model: ModelResource, earlier: str = "") -> str:
    """What the section prints with its verification."""
    text = run(FACT.script([model], Look()))
    further = FACT.verification([model], text, earlier)
    assert further is not None
    return text + run(further.script)


def seen(model: ModelResource, text: str) -> Observation:
    return observe_model(FACT.parse(text), model, Here("ml-01", {}))


def file(model: ModelResource, path: str) -> Path:
    return Path(model.home) / "hub/models--Org--Model/snapshots" / COMMIT / path


def test_every_byte_is_right(model: ModelResource) -> None:
    text = verified(model)

    assert seen(model, text) == Present({"revision": COMMIT}, {"bad": {}, "again": 0})
    assert sorted(FACT.parse(text).homes[model.home]["Org/Model"].sums[COMMIT]) == [
        "model.safetensors",
        "with space/it's.json",
    ]


@pytest.mark.parametrize("path", ["model.safetensors", "with space/it's.json"])
def test_wrong_bytes_of_the_right_size_are_found(model: ModelResource, path: str) -> None:
    with file(model, path).open("r+b") as blob:
        blob.write(b"X")

    found = seen(model, verified(model))

    assert isinstance(found, Present)
    assert list(found.details["bad"]) == [str(file(model, path))]
    assert f"wrong bytes: {path}" in found.reason
    assert found.details["again"] == (len(LARGE) if path == "model.safetensors" else len(SMALL))


def test_what_is_as_it_was_is_not_read_again(model: ModelResource) -> None:
    first = verified(model)
    forged = first.replace(sha256(LARGE), "0" * 64)

    again = verified(model, earlier=forged)
    assert f"sha256 {'0' * 64}" in again

    os.utime(file(model, "model.safetensors"))
    assert f"sha256 {sha256(LARGE)}" in verified(model, earlier=forged)


def test_a_copied_file_is_judged_by_the_listing(model: ModelResource) -> None:
    for path, data in (("model.safetensors", LARGE), ("with space/it's.json", SMALL)):
        file(model, path).unlink()
        file(model, path).write_bytes(data)

    assert seen(model, verified(model)) == Present({"revision": COMMIT}, {"bad": {}, "again": 0})


def test_without_name_and_listing_nothing_can_be_said(model: ModelResource) -> None:
    tree = file(model, f"../../trees/{COMMIT}.json")
    listing = json.loads(tree.read_text())
    listing["files"]["model.safetensors"] = {"size": len(LARGE), "blob_id": "unknown"}
    tree.write_text(json.dumps(listing, indent=1))

    found = seen(model, verified(model))
    assert isinstance(found, Unknown)
    assert found.reason == "no checksum is known for model.safetensors"


def test_nothing_is_read_where_the_revision_is_not_there(model: ModelResource) -> None:
    other = model.model_copy(update={"revision": "b" * 40})

    assert FACT.verification([other], run(FACT.script([other], Look())), "") is None


@pytest.mark.parametrize(("data", "blob"), [(LARGE, sha256(LARGE)), (SMALL, git(SMALL))])
def test_without_a_listing_the_blobs_name_decides(data: bytes, blob: str) -> None:
    right = Sum("sha256" if len(blob) == 64 else "git", blob, blob)
    wrong = Sum(right.algorithm, right.value[::-1], blob)
    files = {"a": Entry(len(data)), "b": Entry(len(data))}

    verdict = judge(Cached(snapshots={COMMIT: files}, sums={COMMIT: {"a": [right], "b": [wrong]}}), COMMIT)

    assert [item.path for item in verdict.damaged] == ["b"]


@given(st.text())
def test_any_answer_is_read(text: str) -> None:
    model = Cached()

    read_sums(Part(text, 0), model, COMMIT)

    assert set(model.sums) == {COMMIT}
