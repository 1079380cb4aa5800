"""The broker's work: it looks at every node now and then, and has the model loaded where nothing runs.

Which model: gonka-contract 1.5; the states it writes down: 1.3; the cards it writes over what was declared: 1.8.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins.chainclock import rfc3339
from gonka_state.lab.standins.mlclient import ask

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState
    from gonka_state.lab.standins.jsons import Json

LOAD_PATIENCE = 900.0
INFERENCE, STOPPED = 1, "STOPPED"
Entry = dict[str, Any]


def look_after(state: ApiState, *, with_hardware: bool) -> None:
    """Look at every node once; loading a model goes on beside, for each node by itself."""
    with state.lock:
        entries = list(state.broker.nodes.values())
    for entry in entries:
        node = entry["node"]
        seen = ask(node["host"], node["poc_port"], f"{node['poc_segment']}/api/v1/state")
        hardware = found_hardware(node) if with_hardware and not state.seed_era else None
        with state.lock:
            note(entry, seen)
            if hardware is not None:
                remember_hardware(state, entry, hardware)
            begin = wants_model(entry, seen)
            if begin:
                entry["state"]["reconcile_info"] = {"status": INFERENCE, "poc_status": "IDLE"}
        if begin:
            threading.Thread(target=load, args=(state, entry), daemon=True).start()


def wants_model(entry: Entry, seen: Json) -> bool:
    """Whether a model is to be loaded now: nothing runs there, and nobody is at it."""
    stopped = seen is not None and seen.get("state") == STOPPED
    return stopped and entry["state"]["admin_state"]["enabled"] and "reconcile_info" not in entry["state"]


def load(state: ApiState, entry: Entry) -> None:
    """Have a node load the first of its models, and wait until it has or cannot (gonka-contract 1.5)."""
    node = entry["node"]
    model = min(node["models"])
    order = {"model": model, "dtype": "auto", "additional_args": node["models"][model]["args"]}
    path = f"{node['poc_segment']}/api/v1/inference/up"
    loaded = ask(node["host"], node["poc_port"], path, order, timeout=LOAD_PATIENCE)
    seen = ask(node["host"], node["poc_port"], f"{node['poc_segment']}/api/v1/state")
    with state.lock:
        entry["state"].pop("reconcile_info", None)
        note(entry, seen)
        if loaded is None or loaded.get("status") != "OK":
            entry["state"].update(current_status="FAILED", failure_reason="failed to bring up inference")


def note(entry: Entry, seen: Json) -> None:
    """Write down what a look saw."""
    status, reason = (
        ("FAILED", "node is not reachable") if seen is None else (seen.get("state", "UNKNOWN"), "")
    )
    status = {"POW": "POC", "TRAIN": "TRAINING"}.get(status, status)
    told = {"intended_status": "INFERENCE", "current_status": status, "failure_reason": reason}
    entry["state"].update(told, status_timestamp=rfc3339(time.time()))
    if seen is not None:
        entry["state"]["ml_node_version"] = seen.get("version", "")


def found_hardware(node: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The cards an ML node reports, as the API writes them into its own record."""
    seen = ask(node["host"], node["poc_port"], f"{node['poc_segment']}/api/v1/gpu/devices")
    if seen is None:
        return None
    kinds = [f"{item['name']} | {item['total_memory_mb'] // 1024}GB" for item in seen["devices"]]
    return [{"type": kind, "count": kinds.count(kind)} for kind in sorted(set(kinds))]


def remember_hardware(state: ApiState, entry: Entry, hardware: list[dict[str, Any]]) -> None:
    """Put the cards into the served and the stored node."""
    entry["node"]["hardware"] = hardware
    for stored in state.broker.stored:
        if stored["id"] == entry["node"]["id"]:
            stored["hardware"] = hardware
