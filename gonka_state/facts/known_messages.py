"""Messages of programs whose cause is known. The host looks for these alone; no other word of a log leaves it.

Each is an extended regular expression that grep and Python read alike. Sources: gonka-contract 10; the programs' own
texts (Cosmos SDK, CometBFT, cosmovisor, Docker, PyTorch, huggingface_hub, NVIDIA's driver and container toolkit,
the kernel).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Patterns = dict[str, str]

CONTAINER: Patterns = {
    "signing-info": "no validator signing info found",
    "app-hash": r"wrong Block\.Header\.AppHash",
    "upgrade": r'UPGRADE "[A-Za-z0-9._+-]{1,60}" NEEDED at height: [0-9]{1,12}',
    "disk-full": "[Nn]o space left on device",
    "gpu-memory": r"CUDA out of memory|CUDA error: out of memory|torch\.(cuda\.)?OutOfMemoryError",
    "gpu-runtime": "could not select device driver|nvidia-container-cli: [a-z ]{1,40}|failed to discover GPU vendor",
    "gpu-lost": "GPU is lost|GPU has fallen off the bus",
    "port-taken": "port is already allocated|address already in use",
    "passphrase": "incorrect passphrase|too many failed passphrase attempts",
    "model-files": "LocalEntryNotFoundError|RepositoryNotFoundError|does not appear to have a file named",
}
"""In a container's log, and in Docker's own words about why it could not start it."""

DAEMON: Patterns = {
    "configuration": "unable to configure the Docker daemon with file [A-Za-z0-9/._-]{1,80}",
    "start": "failed to start daemon",
    "disk-full": "[Nn]o space left on device",
    "storage": "error initializing graphdriver",
    "bridge": "Failed to create bridge|iptables failed",
}
"""In the Docker engine's journal."""

KERNEL: Patterns = {
    "xid": r"NVRM: Xid \(PCI:[0-9a-fA-F:.]{1,20}\): [0-9]{1,4}",
    "gpu-lost": "GPU has fallen off the bus",
    "driver": "NVRM: API mismatch|NVRM: RmInitAdapter failed",
    "killed": r"[Oo]ut of memory: Killed process [0-9]{1,10} \([A-Za-z0-9._:/@-]{1,32}\)",
    "disk": r"EXT4-fs error \(device [a-z0-9-]{1,20}\)|I/O error, dev [a-z0-9]{1,20}",
}
"""In the kernel's log."""

UNREAD = "#@unread"
"""Stands for a log that could not be read."""


def expression(patterns: Mapping[str, str]) -> str:
    """All of them as one for grep, with the mark of a log that could not be read."""
    return "|".join([*patterns.values(), f"^{UNREAD}"])


def counted(lines: Iterable[str], patterns: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Lines of `uniq -c` by the pattern they match: how often each text was said. Other lines are dropped."""
    found: dict[str, dict[str, int]] = {}
    for line in lines:
        count, _, said = line.strip().partition(" ")
        name = next((name for name, pattern in patterns.items() if re.fullmatch(pattern, said)), "")
        if name and count.isdecimal():
            found.setdefault(name, {})[said] = int(count)
    return found
