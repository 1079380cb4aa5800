"""What a node is doing, in words: information, never compared (gonka-contract 1.3)."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NO_MODELS = "no epoch models"
"""What a failure says before the first PoC, when it is none."""
_STALE = 120
"""Seconds after which a status is told with its age: the API looks at its nodes more often."""


def state_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The node's state; empty where the API tells none."""
    state = entry.get("state")
    return state if isinstance(state, dict) else {}


def takes_part(entry: Mapping[str, Any]) -> bool:
    """Whether the chain counts on this node in the current epoch, or a request is in flight on it."""
    state = state_of(entry)
    return bool(state.get("epoch_ml_nodes")) or bool(state.get("lock_count"))


def status_of(entry: Mapping[str, Any], now: float) -> str:
    """The current status, what is intended where that differs, why it failed, and since when nobody looked."""
    state = state_of(entry)
    current, intended = str(state.get("current_status") or ""), str(state.get("intended_status") or "")
    if not current:
        return ""
    failure = str(state.get("failure_reason") or "")
    if NO_MODELS in failure.lower():
        failure += " (normal before its first PoC)"
    said = [f"status {current}"]
    said += [f"{intended} intended"] if intended not in {current, "UNKNOWN", ""} else []
    said += [failure] if failure else []
    age = _age(state.get("status_timestamp"), now)
    said += [f"as of {age:.0f} s ago"] if age > _STALE else []
    return ", ".join(said)


def _age(stamp: object, now: float) -> float:
    try:
        return now - datetime.fromisoformat(str(stamp)).timestamp() if now else 0.0
    except ValueError:
        return 0.0
