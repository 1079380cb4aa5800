"""The cards as a container sees them, and the memory that a loaded model holds on them (gonka-contract 4.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAME = "NVIDIA H100 80GB HBM3"
MEMORY_MB = 81559
IDLE_MB = 4
UNTOLD = 8


class Cards:
    """What `nvidia-smi` reads too: how many there are, and how much of each is taken."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.number = root / "etc/gonka-state-lab/gpus"
        self.taken = root / "run/gonka-state-lab/gpu-memory"

    def count(self) -> int:
        """How many were handed to this container; eight where nobody says."""
        try:
            return int(self.number.read_text())
        except (OSError, ValueError):
            return UNTOLD

    def hold(self, cards: int, share: float) -> None:
        """Take a share (0 to 1) of the memory of the first `cards` cards; 0 gives all of it back."""
        taken = [int(MEMORY_MB * share) if index < cards else IDLE_MB for index in range(self.count())]
        self.taken.parent.mkdir(parents=True, exist_ok=True)
        self.taken.write_text(" ".join(map(str, taken)) + "\n")

    def used(self) -> list[int]:
        """MiB in use per card."""
        try:
            told = [int(word) for word in self.taken.read_text().split()]
        except (OSError, ValueError):
            told = []
        return [*told, *[IDLE_MB] * self.count()][: self.count()]

    def devices(self) -> dict[str, Any]:
        """What the ML node says of them (gonka-contract 4.2, `gpu/devices`)."""
        about = {"name": NAME, "total_memory_mb": MEMORY_MB, "is_available": True, "error_message": None}
        listed = [
            {"index": index, **about, "used_memory_mb": used, "free_memory_mb": MEMORY_MB - used,
             "utilization_percent": 0, "temperature_c": 31}
            for index, used in enumerate(self.used())
        ]  # fmt: skip
        return {"devices": listed, "count": len(listed)}
