"""What a model consists of on the lab's hub: every byte follows from model, revision and file name."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from dataclasses import dataclass
from functools import lru_cache

SHARDS = 4
TENSORS = 3
SHARD_BYTES = 600_000


@dataclass(frozen=True)
class HubFile:
    """One file of a model, as the hub tells and serves it."""

    path: str
    data: bytes

    @property
    def large(self) -> bool:
        """Whether the hub keeps it as a large object, named by its sha256."""
        return self.path.endswith(".safetensors")

    @property
    def oid(self) -> str:
        """The name git gives the file."""
        return hashlib.sha1(b"blob %d\0" % len(self.data) + self.data).hexdigest()  # noqa: S324  (git's own name)

    @property
    def etag(self) -> str:
        """What the client calls the blob."""
        return hashlib.sha256(self.data).hexdigest() if self.large else self.oid

    @property
    def entry(self) -> dict[str, object]:
        """The file's line in a tree listing."""
        line: dict[str, object] = {"type": "file", "oid": self.oid, "size": len(self.data), "path": self.path}
        if self.large:
            line["lfs"] = {"oid": self.etag, "size": len(self.data), "pointerSize": 134}
        return line


def safetensors(seed: str, tensors: list[str], size: int) -> bytes:
    """A valid safetensors file: header length, header, and as many bytes as the header says."""
    each = size // len(tensors) // 2 * 2
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    for place, name in enumerate(tensors):
        header[name] = {
            "dtype": "BF16",
            "shape": [each // 2],
            "data_offsets": [place * each, (place + 1) * each],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    body = random.Random(seed).randbytes(each * len(tensors))  # noqa: S311  (same seed, same bytes: that is the point)
    return struct.pack("<Q", len(text)) + text + body


@lru_cache(maxsize=8)
def files(model: str, revision: str, shard_bytes: int = SHARD_BYTES) -> dict[str, HubFile]:
    """Every file of a model at a revision."""
    shards = {f"model-{number:05d}-of-{SHARDS:05d}.safetensors": number for number in range(1, SHARDS + 1)}
    tensors = {
        shard: [f"model.layers.{number * TENSORS + place}.mlp.weight" for place in range(TENSORS)]
        for shard, number in shards.items()
    }
    content = {
        shard: safetensors(f"{model}@{revision}/{shard}", names, shard_bytes)
        for shard, names in tensors.items()
    }
    size = sum(len(data) for data in content.values())
    weight_map = {name: shard for shard, names in tensors.items() for name in names}
    small: dict[str, object] = {
        "config.json": {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "_commit": revision},
        "generation_config.json": {"do_sample": True, "temperature": 0.6},
        "model.safetensors.index.json": {"metadata": {"total_size": size}, "weight_map": weight_map},
        "tokenizer.json": {"version": "1.0", "model": {"type": "BPE", "vocab": {"a": 0}, "merges": []}},
        "tokenizer_config.json": {"tokenizer_class": "Qwen2Tokenizer", "model_max_length": 131072},
    }
    content |= {name: (json.dumps(value, indent=2) + "\n").encode() for name, value in small.items()}
    content["README.md"] = f"# {model}\n".encode()
    return {name: HubFile(name, data) for name, data in sorted(content.items())}
