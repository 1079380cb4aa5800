"""The setup report: one list of checks that says what is wrong with a host's set-up."""

from __future__ import annotations

import base64
import binascii
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gonka_state.lab.standins import chainclock
from gonka_state.lab.standins.mlclient import ask

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState
    from gonka_state.lab.standins.jsons import Json

CACHE_SECONDS = 60
KEY_BYTES = 33
INFERENCE_HOME = Path("/root/.inference")
Check = dict[str, Any]


def check(name: str, *, ok: bool | None, message: str, **details: Json) -> Check:
    """One line of the report; None is what could not be found out."""
    status = "UNAVAILABLE" if ok is None else "PASS" if ok else "FAIL"
    line: Check = {"id": name, "status": status, "message": message}
    return {**line, "details": details} if details else line


def account_key_valid(text: str) -> bool:
    """Whether ACCOUNT_PUBKEY is a compressed public key in base64."""
    try:
        key = base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return len(key) == KEY_BYTES and key[0] in {2, 3}


def build(state: ApiState) -> dict[str, Any]:
    """Run every check."""
    environ, control = state.environ, state.control.read()
    name = environ.get("KEY_NAME", "")
    warm = bool(name) and (INFERENCE_HOME / "keyring-file" / f"{name}.info").exists()
    granted, active = bool(control.get("granted", False)), bool(control.get("active", False))
    chain = ask("node", 26657, "/status")
    synced = None if chain is None else not chain["result"]["sync_info"]["catching_up"]
    checks = [
        check(
            "cold_key_configured",
            ok=account_key_valid(environ.get("ACCOUNT_PUBKEY", "")),
            message="ACCOUNT_PUBKEY",
        ),
        check("warm_key_in_keyring", ok=warm, message=f"key {name} in the keyring"),
        check("permissions_granted", ok=granted, message="grants of the account key", granted=0, missing=20),
        check("active_in_epoch", ok=active, message="participant in the current epoch"),
        check("block_sync", ok=synced, message="age of the newest block", latest_height=chainclock.height()),
    ]
    for node in (entry["node"] for entry in state.broker.listing()):
        health = ask(node["host"], node["poc_port"], "/health")
        gpus = health["gpu"]["devices"] if health else []
        about = {"id": node["id"], "host": node["host"], "models": sorted(node["models"]), "gpus": gpus}
        checks.append(check(f"mlnode_{node['id']}", ok=health is not None, message="GET /health", **about))
    return summary(checks)


def summary(checks: list[Check]) -> dict[str, Any]:
    """The report around the checks."""
    counts = {
        status: sum(line["status"] == status for line in checks) for status in ("PASS", "FAIL", "UNAVAILABLE")
    }
    overall = "FAIL" if counts["FAIL"] else "UNAVAILABLE" if counts["UNAVAILABLE"] else "PASS"
    now = time.time()
    return {
        "experimental": True,
        "generated_at": chainclock.rfc3339(now),
        "cached_until": chainclock.rfc3339(now + CACHE_SECONDS),
        "overall_status": overall,
        "checks": checks,
        "summary": {
            "total_checks": len(checks),
            "passed_checks": counts["PASS"],
            "failed_checks": counts["FAIL"],
            "unavailable_checks": counts["UNAVAILABLE"],
            "issues": [f"{line['id']}: {line['message']}" for line in checks if line["status"] == "FAIL"],
            "recommendations": [],
        },
    }
