"""Which container images the lab offers, under their real names, and what each runs."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from gonka_state.lab.paths import STANDINS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RELEASES = ("0.2.1", "0.2.12", "0.2.13")
MODULE = "gonka_state.lab.standins"
HOME = "/opt/lab"
CORE = ("bech32", "permissions", "ripemd160")
"""What the stand-ins share with the tool itself: published algorithms and lists."""
PROGRAM = f'#!/bin/sh\nexec python3 -m {MODULE}.inferenced "$@"\n'
CREATED = "2026-01-01T00:00:00Z"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


@dataclass(frozen=True)
class Image:
    """One repository:tag and the stand-in it runs."""

    repository: str
    tag: str
    standin: str


@dataclass(frozen=True)
class Blob:
    """A piece of content as the registry stores it."""

    media_type: str
    data: bytes
    diff_id: str = ""

    @property
    def digest(self) -> str:
        """The content's name."""
        return f"sha256:{hashlib.sha256(self.data).hexdigest()}"

    @property
    def descriptor(self) -> dict[str, object]:
        """How a manifest refers to it."""
        return {"mediaType": self.media_type, "size": len(self.data), "digest": self.digest}


def catalogue() -> Iterator[Image]:
    """Every image that Gonka's compose files name, in more than one release."""
    for release in RELEASES:
        yield Image("product-science/tmkms-softsign-with-keygen", release, "tmkms")
        yield Image("product-science/inferenced", release, "chain")
        yield Image("product-science/api", release, "api")
        yield Image("product-science/proxy", release, "proxy")
        yield Image("product-science/versiond", release, "idle")
    for release in ("3.0.9", "3.0.10"):
        yield Image("product-science/mlnode", release, "mlnode")
    for release in ("3.0.12", "3.0.13"):
        yield Image("gonka-ai/mlnode", release, "mlnode")
    yield Image("product-science/proxy-ssl", "0.2.13", "idle")
    yield Image("product-science/explorer", "latest", "idle")
    yield Image("product-science/bridge", "0.2.5-post5", "idle")
    yield Image("library/nginx", "1.28.0", "nginx")


def standins_layer() -> Blob:
    """The stand-ins' own modules as a layer: small, and the only one that changes with them."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, data in _modules().items():
            _add(tar, f"{HOME}/{name}", data, 0o644)
        _add(tar, "/usr/local/bin/inferenced", PROGRAM.encode(), 0o755)
    return layer(gzip.compress(raw.getvalue(), mtime=0))


def _modules() -> dict[str, bytes]:
    """What Python finds under HOME; the packages around the stand-ins are empty there."""
    found = dict.fromkeys((f"gonka_state/{name}__init__.py" for name in ("", "lab/", "core/")), b"")
    for path in sorted(STANDINS.glob("*.py")):
        found[f"{MODULE.replace('.', '/')}/{path.name}"] = path.read_bytes()
    for name in CORE:
        found[f"gonka_state/core/{name}.py"] = (STANDINS.parents[1] / "core" / f"{name}.py").read_bytes()
    words = files("mnemonic")
    for name in ("__init__.py", "mnemonic.py", "wordlist/english.txt"):
        found[f"mnemonic/{name}"] = words.joinpath(name).read_bytes()
    return found


def _add(tar: tarfile.TarFile, path: str, data: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(data), mode
    tar.addfile(entry, io.BytesIO(data))


def base_layer(path: Path) -> Blob:
    """The layer that was cut from the base system."""
    return layer(path.read_bytes())


def layer(zipped: bytes) -> Blob:
    """A gzipped tar as a layer; its diff id is the digest of what is inside the gzip."""
    return Blob(LAYER, zipped, f"sha256:{hashlib.sha256(gzip.decompress(zipped)).hexdigest()}")


def build(image: Image, layers: list[Blob]) -> tuple[Blob, Blob]:
    """The configuration and the manifest (schema 2) of an image."""
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "created": CREATED,
        "config": {
            "Env": [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                f"PYTHONPATH={HOME}",
                "PYTHONUNBUFFERED=1",
                f"STANDIN_VERSION={image.tag}",
            ],
            # A command as upstream's images have it, so that `compose run api PROGRAM` runs the program.
            "Cmd": ["python3", "-m", f"{MODULE}.{image.standin}"],
            "WorkingDir": "/root",
            "Labels": {"ai.gonka.lab.standin": image.standin},
        },
        "rootfs": {"type": "layers", "diff_ids": [item.diff_id for item in layers]},
        "history": [{"created": CREATED, "created_by": "gonka-state lab"} for _ in layers],
    }
    config = Blob(CONFIG, json.dumps(settings, sort_keys=True).encode())
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor,
        "layers": [item.descriptor for item in layers],
    }
    return config, Blob(MANIFEST, json.dumps(manifest, sort_keys=True).encode())
