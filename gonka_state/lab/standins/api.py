"""The API container: public, callback and Admin API, and the broker that looks after the ML nodes."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import web
from gonka_state.lab.standins.admin import Admin
from gonka_state.lab.standins.apistate import ApiState
from gonka_state.lab.standins.chainclock import rfc3339
from gonka_state.lab.standins.mlclient import ask
from gonka_state.lab.standins.public import Public

if TYPE_CHECKING:
    from gonka_state.lab.standins.jsons import Json

HOME = Path("/root/.dapi")
LOOK_SECONDS = 10
FLUSH_SECONDS = 60
HARDWARE_LOOKS = 180  # every half hour


def look_after(state: ApiState, *, with_hardware: bool) -> None:
    """Look at every node once, and start its model where nothing runs, as the broker does."""
    with state.lock:
        entries = list(state.broker.nodes.values())
    for entry in entries:
        node = entry["node"]
        seen = ask(node["host"], node["poc_port"], "/api/v1/state")
        if seen is not None and seen.get("state") == "STOPPED" and entry["state"]["admin_state"]["enabled"]:
            model = min(node["models"])
            order = {"model": model, "dtype": "auto", "additional_args": node["models"][model]["args"]}
            ask(node["host"], node["poc_port"], "/api/v1/inference/up", order, timeout=30)
            seen = ask(node["host"], node["poc_port"], "/api/v1/state")
        hardware = found_hardware(node) if with_hardware and not state.seed_era else None
        with state.lock:
            note(entry, seen)
            if hardware is not None:
                node["hardware"] = hardware
                for stored in state.broker.stored:
                    if stored["id"] == node["id"]:
                        stored["hardware"] = hardware


def note(entry: dict[str, Any], seen: Json) -> None:
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
    seen = ask(node["host"], node["poc_port"], "/api/v1/gpu/devices")
    if seen is None:
        return None
    kinds = [f"{item['name']} | {item['total_memory_mb'] // 1024}GB" for item in seen["devices"]]
    return [{"type": kind, "count": kinds.count(kind)} for kind in sorted(set(kinds))]


def main() -> None:
    """Serve until stopped; what is not flushed by then is flushed at the end."""
    state = ApiState(HOME, dict(os.environ))
    admin, public = Admin(state), Public(state)
    web.serve(9000, public.answer)
    web.serve(9100, lambda _request: web.as_json({"status": "ok"}))
    web.serve(9200, admin.answer)

    def work() -> None:
        looks = 0
        while True:
            time.sleep(LOOK_SECONDS)
            looks += 1
            look_after(state, with_hardware=looks % HARDWARE_LOOKS == 3)  # noqa: PLR2004  (soon after the start)
            if looks % (FLUSH_SECONDS // LOOK_SECONDS) == 0:
                state.flush()

    threading.Thread(target=work, daemon=True).start()
    web.run_until_stopped(state.flush)


if __name__ == "__main__":
    main()
