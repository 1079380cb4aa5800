"""The models section on real files, and its parser on anything."""

from __future__ import annotations

import importlib
import json
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.observation import Absent, Present, Unknown
from gonka_state.errors import FactError
from gonka_state.facts.base import PRELUDE, Look
from gonka_state.facts.here import Here
from gonka_state.facts.model_cache import Cached, Entry, Expected, judge
from gonka_state.facts.model_observed import observe_model, unmanaged_models
from gonka_state.facts.models import FACT
from gonka_state.resources.model import ModelResource

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.core.observation import Observation
    from gonka_state.facts.model_cache import ModelsState

COMMIT = "aa55da1ecc13d006e8b8e4f54579b1ea8c3db2df"
NO_HUB = "http://127.0.0.1:9"
HERE = Here("ml-01", {"ml-01": "10.77.0.12"})


def weights(size: int) -> bytes:
    """A safetensors file with one tensor of `size` bytes."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(size)


class Cache:
    """A hub cache as the client lays it out."""

    def __init__(self, home: Path, model: str = "Org/Model") -> None:
        self.home = home
        self.model = model
        self.root = home / "hub" / f"models--{model.replace('/', '--')}"
        (self.root / "blobs").mkdir(parents=True)

    def file(self, path: str, data: bytes, commit: str = COMMIT) -> Path:
        """Put a file into a revision; returns its blob."""
        blob = self.root / "blobs" / f"blob-of-{path.replace('/', '-')}"
        blob.write_bytes(data)
        entry = self.root / "snapshots" / commit / path
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.symlink_to(blob)
        return blob

    def usual(self, shards: int = 2) -> None:
        """Config, tokenizer, index and shards."""
        names = [f"model-{number:05d}-of-{shards:05d}.safetensors" for number in range(1, shards + 1)]
        self.file("config.json", b"{}")
        self.file("tokenizer.json", b"{}")
        index = {"weight_map": {f"layer.{number}": name for number, name in enumerate(names)}}
        self.file("model.safetensors.index.json", json.dumps(index).encode())
        for name in names:
            self.file(name, weights(1000))

    @property
    def resource(self) -> ModelResource:
        """The declaration of it."""
        return ModelResource(name=self.model, revision=COMMIT, home=str(self.home), endpoint=NO_HUB)


def section(script: str) -> ModelsState:
    text = subprocess.run(
        ["sh", "-s"], input=f"M='#@t'\n{PRELUDE}\n{script}", capture_output=True, check=True, text=True
    ).stdout
    return FACT.parse(text)


def look(resource: ModelResource) -> Observation:
    return observe_model(section(FACT.script([resource], Look())), resource, HERE)


def test_a_whole_model_is_told_by_its_headers(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "a home")
    cache.usual()

    assert look(cache.resource) == Present({"revision": COMMIT}, {"bad": {}, "again": 0})


def test_a_short_file_is_told_by_its_own_header(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    name = "model-00001-of-00002.safetensors"
    blob = cache.root / "blobs" / f"blob-of-{name}"
    size = blob.stat().st_size
    blob.write_bytes(blob.read_bytes()[:100])

    found = look(cache.resource)

    assert isinstance(found, Present)
    assert f"blob truncated: {name} 100 B of {size / 1000:.1f} kB" in found.reason
    assert found.details["bad"] == {f"{cache.root}/snapshots/{COMMIT}/{name}": 100}


def test_a_shard_that_only_the_index_names_is_missed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    (cache.root / "snapshots" / COMMIT / "model-00002-of-00002.safetensors").unlink()

    found = look(cache.resource)

    assert isinstance(found, Present)
    assert found.reason == "missing model-00002-of-00002.safetensors"


def test_a_link_without_its_blob_is_missed(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    (cache.root / "blobs/blob-of-config.json").unlink()

    found = look(cache.resource)

    assert isinstance(found, Present)
    assert found.reason == "missing config.json"


def test_the_hubs_listing_is_believed_before_headers(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    (cache.root / "trees").mkdir()
    listing = {"format_version": 1, "files": {"extra/readme.txt": {"size": 7, "blob_id": "b"}}}
    (cache.root / "trees" / f"{COMMIT}.json").write_text(json.dumps(listing, indent=1))

    found = look(cache.resource)

    assert isinstance(found, Present)
    assert found.reason == "7 B to fetch; missing extra/readme.txt"


def test_a_damaged_listing_is_no_listing(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    (cache.root / "trees").mkdir()
    (cache.root / "trees" / f"{COMMIT}.json").write_text('{"format_version": 1, "files": {')

    assert look(cache.resource) == Present({"revision": COMMIT}, {"bad": {}, "again": 0})


def test_names_with_spaces_and_line_breaks_do_no_harm(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    cache.file("a file.txt", b"1")
    (cache.root / "snapshots" / COMMIT / "x\nf 1 1 1:1 models--Evil--Model").write_text("forged")

    state = section(FACT.script([cache.resource], Look()))

    assert set(state.homes[str(tmp_path)]) == {"Org/Model"}
    assert "a file.txt" in state.homes[str(tmp_path)]["Org/Model"].snapshots[COMMIT]


def test_nothing_there_is_absent(tmp_path: Path) -> None:
    assert look(
        ModelResource(name="A/B", revision=COMMIT, home=str(tmp_path / "none"), endpoint=NO_HUB)
    ) == Absent(reason="the hub did not say how large it is")


def test_a_cache_that_cannot_be_listed_is_unknown(tmp_path: Path) -> None:
    (tmp_path / "hub").write_text("")

    assert isinstance(
        look(ModelResource(name="A/B", revision=COMMIT, home=str(tmp_path), endpoint=NO_HUB)), Unknown
    )


def test_a_home_that_the_snapshot_does_not_hold_is_unknown(tmp_path: Path) -> None:
    state = section(FACT.script([], Look()))

    resource = ModelResource(name="A/B", revision=COMMIT, home=str(tmp_path), endpoint=NO_HUB)
    assert isinstance(observe_model(state, resource, HERE), Unknown)


def test_alone_it_lists_every_revision(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "with space")
    cache.usual()

    model = section(FACT.standalone(home=str(cache.home))).homes[str(cache.home)]["Org/Model"]

    assert model.shards[COMMIT] == ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
    with pytest.raises(FactError, match="takes home="):
        FACT.standalone(path="/")


def test_undeclared_models_and_revisions_are_listed_with_their_own_bytes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.usual()
    cache.file("only-there.bin", bytes(5000), commit="b" * 40)
    (cache.root / "snapshots" / ("b" * 40) / "config.json").symlink_to(
        cache.root / "blobs/blob-of-config.json"
    )
    Cache(tmp_path, "Org/Other").file("config.json", bytes(12))

    found = unmanaged_models(section(FACT.script([cache.resource], Look())), [cache.resource], HERE)

    assert [(item.name, item.detail) for item in found] == [
        (f"Org/Model@{'b' * 40}", f"5.0 kB in {tmp_path}"),
        ("Org/Other", f"12 B in {tmp_path}"),
    ]


@given(st.text())
def test_any_text_is_understood_or_refused(text: str) -> None:
    refused_or_understood(text)


def test_pyinfra_can_use_it() -> None:
    module = importlib.import_module("gonka_state.facts.models")

    assert module.HubModels.name == "gonka_state.facts.models.HubModels"


NAMES = [
    "units",
    "files /h",
    "unmounted /h",
    *(f"{kind} models--A--B {COMMIT} /h" for kind in ("tree", "heads", "index")),
]
LINES = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "f 1 8 1:2 models--A--B/blobs/x",
            "l 0 0 1:3 models--A--B/snapshots/c/d",
            '{"files": {"a": 1}}',
            "9 x",
        ]
    ),
)


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.lists(LINES), st.sampled_from(["0", "1 it failed", "124"])))
)
def test_any_answer_in_frames_is_understood_or_refused(frames: list[tuple[str, list[str], str]]) -> None:
    body = "".join(f"#@x part {name}\n{chr(10).join(lines)}\n#@x rc {rc}\n" for name, lines, rc in frames)
    refused_or_understood(f"#@x part units\n\n#@x rc 0\n{body}")


def refused_or_understood(text: str) -> None:
    try:
        state = FACT.parse(text)
    except FactError:
        return
    resource = ModelResource(name="A/B", revision=COMMIT, home="/h")
    assert isinstance(observe_model(state, resource, HERE), Present | Absent | Unknown)
    assert len(unmanaged_models(state, [resource], HERE)) >= 0


FILES = st.dictionaries(st.text("abc./", min_size=1), st.integers(1, 10**12), min_size=1)


@given(FILES)
def test_every_listed_byte_there_is_complete(files: dict[str, int]) -> None:
    verdict = judge(cached(files, files), COMMIT)

    assert verdict.complete
    assert verdict.have == verdict.total == sum(files.values())


@given(FILES, st.data())
def test_any_lost_or_short_file_is_named(files: dict[str, int], data: st.DataObject) -> None:
    victim = data.draw(st.sampled_from(sorted(files)))
    short = data.draw(st.none() | st.integers(0, files[victim] - 1))
    there = {path: size for path, size in files.items() if path != victim} | (
        {} if short is None else {victim: short}
    )

    verdict = judge(cached(files, there), COMMIT)

    assert [*verdict.missing, *(bad.path for bad in verdict.truncated)] == [victim]
    assert verdict.have == sum(files.values()) - files[victim]


def cached(files: dict[str, int], there: dict[str, int]) -> Cached:
    return Cached(
        snapshots={COMMIT: {path: Entry(size, size, path) for path, size in there.items()}},
        trees={COMMIT: {path: Expected(size) for path, size in files.items()}},
    )
