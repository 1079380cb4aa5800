"""Requirements of the cards, their driver, and what hands them to containers: what is read, and how."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.errors import FactError
from gonka_state.facts.reading import NO_SUCH_PROGRAM, Reading, program
from gonka_state.facts.requirement_system import memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.facts.base import Parts

# nvidia-smi says on its standard output why it failed; what a part failed with is read from its errors.
# CUDA is in the header of nvidia-smi's table: not every driver answers a query for it.
# The toolkit's own program since 1.11; the others for a host that has only parts of it on its PATH.
SHELL = r"""
smi() {
  told=$(nvidia-smi "$@") || { rc=$?; printf '%s\n' "$told" >&2; return "$rc"; }
  [ -z "$told" ] || printf '%s\n' "$told"
}
cuda() {
  table=$(smi) || return
  printf '%s\n' "$table" | grep 'CUDA Version'
}
toolkit() {
  nvidia-ctk --version 2>/dev/null || nvidia-container-cli --version 2>/dev/null ||
    dpkg-query -W -f 'package ${Version}\n' nvidia-container-toolkit 2>/dev/null || return 127
}
"""

COMMANDS: Mapping[str, str] = {
    "gpus": "smi --query-gpu=index,name,memory.total,utilization.gpu --format=csv,noheader,nounits",
    "cuda": "cuda",
    "container-toolkit": "toolkit",
}

_NO_DEVICES = 6
"""nvidia-smi's status where the driver works and lists no card: an answer, and the answer is none."""

_CUDA = re.compile(r"CUDA Version\s*:\s*(\d+(?:\.\d+)*)")
_TOOLKIT = re.compile(r"(?:version:?|package) v?(\d+(?:\.\d+)+)")


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card as nvidia-smi lists it. `memory` in MiB; a dropped card answers in brackets."""

    index: str
    name: str
    memory: str
    utilization: str

    @property
    def healthy(self) -> bool:
        """A card that answers with figures; `[N/A]` and errors do not count."""
        return self.memory.isdecimal() and self.utilization.isdecimal()


def cards(parts: Parts) -> tuple[Gpu, ...]:
    """Every card that nvidia-smi lists, healthy or not; none where it cannot be asked."""
    part = parts.get("gpus")
    if part is None or part.status != 0:
        return ()
    rows = [[cell.strip() for cell in line.split(",")] for line in part.lines if line.strip()]
    return tuple(Gpu(*row) for row in rows if len(row) == 4)  # noqa: PLR2004 (the four fields asked for)


def _listed(parts: Parts) -> tuple[Gpu, ...]:
    if parts["gpus"].status == NO_SUCH_PROGRAM:
        raise FactError("nvidia-smi is not installed")
    if parts["gpus"].status != _NO_DEVICES:
        parts.need("gpus")
    return cards(parts)


def _healthy(parts: Parts) -> int:
    return sum(1 for gpu in _listed(parts) if gpu.healthy)


def _names(parts: Parts) -> str:
    return ", ".join(sorted({gpu.name for gpu in _listed(parts)})) or "none"


def _ratio(parts: Parts) -> float:
    of_cards = sum(int(gpu.memory) for gpu in _listed(parts) if gpu.healthy) * 2**20
    if not of_cards:
        raise FactError("no card answers")
    return memory(parts) / of_cards


def _cuda(parts: Parts) -> str:
    found = _CUDA.search(program(parts, "cuda", "nvidia-smi").text)
    if found is None:
        raise FactError("nvidia-smi names no CUDA version: the driver does not work")
    return found[1]


def _toolkit(parts: Parts) -> str:
    found = _TOOLKIT.search(program(parts, "container-toolkit", "the NVIDIA Container Toolkit").text)
    if found is None:
        raise FactError(f"the toolkit said {parts['container-toolkit'].text[:80]!r}")
    return found[1]


TOPICS: Mapping[str, Reading] = {
    "gpus": Reading(("gpus",), _healthy),
    "gpu-model": Reading(("gpus",), _names),
    "memory-ratio": Reading(("gpus", "memory"), _ratio),
    "cuda": Reading(("cuda",), _cuda),
    "container-toolkit": Reading(("container-toolkit",), _toolkit),
}
