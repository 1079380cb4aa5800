"""Images: a manifest must name what was uploaded, and layers must be what the configuration says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

from gonka_state.lab import images


def test_manifest_and_configuration_agree_with_the_layers() -> None:
    layers = [images.layer(gzip.compress(b"one", mtime=0)), images.layer(gzip.compress(b"two", mtime=0))]
    config, manifest = images.build(images.Image("product-science/api", "0.2.13", "api"), layers)
    told, settings = json.loads(manifest.data), json.loads(config.data)
    assert told["schemaVersion"] == 2
    assert [item["digest"] for item in told["layers"]] == [layer.digest for layer in layers]
    assert [item["size"] for item in told["layers"]] == [len(layer.data) for layer in layers]
    assert told["config"]["digest"] == f"sha256:{hashlib.sha256(config.data).hexdigest()}"
    assert settings["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(text).hexdigest()}" for text in (b"one", b"two")
    ]
    assert settings["config"]["Cmd"][-1] == "gonka_state.lab.standins.api"


def test_every_image_runs_a_stand_in_that_the_layer_carries() -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(images.standins_layer().data))) as tar:
        carried = set(tar.getnames())
    for image in images.catalogue():
        assert f"opt/lab/gonka_state/lab/standins/{image.standin}.py" in carried


def test_the_stand_ins_do_not_bring_the_lab_into_the_container() -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(images.standins_layer().data))) as tar:
        for name in ("", "lab/", "core/"):
            assert tar.getmember(f"opt/lab/gonka_state/{name}__init__.py").size == 0


def test_the_command_line_of_the_chain_is_a_program_of_the_image(tmp_path: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(images.standins_layer().data))) as tar:
        tar.extractall(tmp_path, filter="data")
    program = tmp_path / "usr/local/bin/inferenced"

    done = subprocess.run(
        [program, "keys", "mnemonic"],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONPATH": str(tmp_path / "opt/lab"), "PYTHONSAFEPATH": "1"},
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip

    assert len(done.stdout.split()) == 24


def test_a_program_is_there_in_an_older_and_a_newer_image() -> None:
    tags: dict[str, set[str]] = {}
    for image in images.catalogue():
        tags.setdefault(image.repository, set()).add(image.tag)
    assert tags["product-science/api"] >= {"0.2.12", "0.2.13"}
    assert tags["gonka-ai/mlnode"] >= {"3.0.12", "3.0.13"}
