"""The chain's time for stand-ins: a height that grows with the clock, and the phase that follows from it.

What `/v1/epochs/latest` answers: gonka-contract 2; the lengths of an epoch and its stages: 7.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

EPOCH = 17280
START = 1_750_000_000
SECONDS_PER_BLOCK = 5
POC_STAGE, VALIDATION_DELAY, VALIDATION, SET_VALIDATORS, CUTOFF = 60, 5, 20, 120, 80


@dataclass(frozen=True)
class Control:
    """What a test may change about a stand-in by writing a file beside its state."""

    path: Path

    def read(self) -> dict[str, Any]:
        """The file as it is now; nothing when it is missing or half written."""
        try:
            value = json.loads(self.path.read_text())
        except (OSError, ValueError):
            return {}
        return value if isinstance(value, dict) else {}


def height(now: float | None = None) -> int:
    """The newest block."""
    return int((time.time() if now is None else now) - START) // SECONDS_PER_BLOCK


def quiet_origin() -> int:
    """An epoch's first block, half an epoch ago: a lab begins, and for its half day stays, in a quiet stretch."""
    return height() - EPOCH // 2


def rfc3339(seconds: float) -> str:
    """A moment as the chain writes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1e9):09d}Z"


def stages(index: int, start: int) -> dict[str, Any]:
    """The blocks at which the stages of one epoch begin."""
    validation = start + POC_STAGE + VALIDATION_DELAY
    return {
        "epoch_index": index,
        "poc_start": start,
        "poc_generation_wind_down": start + POC_STAGE - VALIDATION_DELAY,
        "poc_generation_end": start + POC_STAGE,
        "poc_validation_start": validation,
        "poc_validation_wind_down": validation + VALIDATION - VALIDATION_DELAY,
        "poc_validation_end": validation + VALIDATION,
        "set_new_validators": validation + VALIDATION + SET_VALIDATORS,
        "claim_money": validation + VALIDATION + SET_VALIDATORS + 1,
        "inference_validation_cutoff": start + EPOCH - CUTOFF,
        "next_poc_start": start + EPOCH,
        "poc_exchange_window": {"start": start, "end": start + POC_STAGE + VALIDATION_DELAY},
        "poc_validation_exchange_window": {"start": validation, "end": validation + VALIDATION},
    }


def phase(block: int, of: dict[str, Any]) -> str:
    """The phase of a block, by the stages of its epoch."""
    if block < of["poc_generation_wind_down"]:
        return "PoCGenerate"
    if block < of["poc_validation_start"]:
        return "PoCGenerateWindDown"
    if block < of["poc_validation_wind_down"]:
        return "PoCValidate"
    return "PoCValidateWindDown" if block < of["poc_validation_end"] else "Inference"


def latest_epoch(control: dict[str, Any], origin: int, *, with_confirmation: bool = True) -> dict[str, Any]:
    """What /v1/epochs/latest answers; `origin` is a block at which an epoch began."""
    block = int(control.get("height") or height())
    start = block - (block - origin) % EPOCH
    index = int(control.get("epoch") or start // EPOCH)
    current = stages(index, start)
    answer: dict[str, Any] = {
        "block_height": block,
        "latest_epoch": {"index": index, "poc_start_block_height": start},
        "phase": control.get("phase") or phase(block, current),
        "epoch_stages": current,
        "next_epoch_stages": stages(index + 1, start + EPOCH),
        "epoch_params": {
            "epoch_length": EPOCH,
            "poc_stage_duration": POC_STAGE,
            "poc_exchange_duration": VALIDATION_DELAY,
            "poc_validation_delay": VALIDATION_DELAY,
            "poc_validation_duration": VALIDATION,
            "set_new_validators_delay": SET_VALIDATORS,
            "inference_validation_cutoff": CUTOFF,
        },
    }
    if with_confirmation:
        answer["is_confirmation_poc_active"] = bool(control.get("confirmation_poc", False))
    return answer
