"""The setup report: one list of checks that says what is wrong with a host's set-up (gonka-contract 1.9)."""

from __future__ import annotations

import calendar
import time
from typing import TYPE_CHECKING, Any

from gonka_state.core.permissions import CURRENT, RELEASES
from gonka_state.lab.standins import chainclock
from gonka_state.lab.standins.checks import Check, Keys, check
from gonka_state.lab.standins.mlclient import ask
from gonka_state.lab.standins.versions import V2_SINCE, numbers

if TYPE_CHECKING:
    from gonka_state.lab.standins.apistate import ApiState
    from gonka_state.lab.standins.jsons import Json
    from gonka_state.lab.standins.ledger import Ledger

CACHE_SECONDS = 60
FRESH = 60
SOON = 7 * 24 * 3600


def build(state: ApiState) -> dict[str, Any]:
    """Run every check, in the order and the words of the real report."""
    keys = Keys(state)
    ledger = state.ledger()
    about = {"cold_key_address": keys.cold, "warm_key_address": keys.warm}
    checks = [*keys.checks(), permissions(state, ledger, about)]
    if numbers(state.version) >= V2_SINCE:
        checks.append(allowance(ledger, about))
    checks += [*participation(state, ledger, keys.cold), *mlnodes(state), block_sync()]
    return summary(checks, kept(state))


def kept(state: ApiState) -> float:
    """For how many seconds the API tells the same report again."""
    return float(state.control.read().get("report_seconds", CACHE_SECONDS))


def permissions(state: ApiState, ledger: Ledger | None, about: dict[str, str]) -> Check:
    """Whether the account key permits the warm key everything this release needs."""
    if ledger is None:
        return check(
            "permissions_granted", ok=None, message="Unable to check permissions: connection refused"
        )
    release = "0.2.0" if numbers(state.version) < V2_SINCE else CURRENT
    needed = RELEASES[release]
    found = ledger.grants(granter=about["cold_key_address"], grantee=about["warm_key_address"])
    granted = {item["msg"]: item["expiration"] for item in found}
    missing = [message for message in needed if message not in granted]
    soon = chainclock.rfc3339(time.time() + SOON)
    expiring = [message for message in needed if message in granted and granted[message] < soon]
    message = f"All {len(needed)} required permissions granted"
    if missing:
        message = f"Missing {len(missing)} of {len(needed)} required permissions"
    elif expiring:
        message = f"All {len(needed)} permissions granted, but {len(expiring)} expiring soon"
    details: dict[str, Json] = {**about, "granted": len(needed) - len(missing), "missing": len(missing)}
    details |= {"missing_permissions": missing} if missing else {}
    details |= {"expiring_soon": expiring} if expiring else {}
    return check("permissions_granted", ok=not missing, message=message, **details)


def allowance(ledger: Ledger | None, about: dict[str, str]) -> Check:
    """Whether the account key pays the warm key's fees."""
    if ledger is None:
        message = "Unable to check feegrant allowance: connection refused"
        return check("feegrant_allowance", ok=None, message=message, **about)
    if ledger.allowance(about["cold_key_address"], about["warm_key_address"]) is None:
        message = "No fee allowance from cold to warm key. Warm-key txs cannot pay fees from the cold account"
        return check("feegrant_allowance", ok=False, message=message, **about)
    message = "Fee allowance from cold to warm key is configured"
    return check("feegrant_allowance", ok=True, message=message, **about)


def participation(state: ApiState, ledger: Ledger | None, address: str) -> list[Check]:
    """Whether this host is who it registered as, and takes part already."""
    status = ask("node", 26657, "/status")
    item = None if ledger is None else ledger.participants().get(address)
    if status is None or item is None:
        why = "connection refused" if status is None else f"participant {address} not found"
        return [check("consensus_key_match", ok=None, message=f"Failed to query participant: {why}")]
    mine, registered = status["result"]["validator_info"]["pub_key"]["value"], item.get("validator_key", "")
    message = "Consensus key matches participant registration"
    if mine != registered:
        message = f"Consensus key mismatch: local={mine}, registered={registered}"
    active, epoch = bool(state.control.read().get("active", False)), state.epoch()
    return [
        check("consensus_key_match", ok=mine == registered, message=message, consensus_pubkey=mine),
        check(
            "active_in_epoch",
            ok=active,
            message=f"Participant is {'' if active else 'NOT '}active in epoch {epoch}",
            epoch=epoch,
        ),
        check(
            "validator_in_set",
            ok=active,
            message="Validator is active in consensus validator set"
            if active
            else "Validator is NOT in consensus validator set (may need to register or unjail)",
        ),
        check("missed_requests_threshold", ok=True, message="Missed requests: 0.0% (below 10% threshold)"),
    ]


def mlnodes(state: ApiState) -> list[Check]:
    """Whether each ML node answers."""
    checks = []
    for node in (entry["node"] for entry in state.broker.listing()):
        health = ask(node["host"], node["poc_port"], "/health")
        gpus = health["gpu"]["devices"] if health else []
        about = {"id": node["id"], "host": node["host"], "models": sorted(node["models"]), "gpus": gpus}
        message = "MLNode is healthy" if health else "MLNode health check failed: connection refused"
        checks.append(check(f"mlnode_{node['id']}", ok=health is not None, message=message, **about))
    return checks


def block_sync() -> Check:
    """Whether the newest block is fresh."""
    chain = ask("node", 26657, "/status")
    if chain is None:
        return check("block_sync", ok=None, message="Failed to get node status: connection refused")
    sync = chain["result"]["sync_info"]
    height, at = int(sync["latest_block_height"]), sync["latest_block_time"]
    age = int(time.time() - calendar.timegm(time.strptime(at[:19], "%Y-%m-%dT%H:%M:%S")))
    message = f"Chain is synced. Latest block: {height}, age: {age}s"
    if age >= FRESH:
        message = f"Chain appears stalled. Latest block: {height}, age: {age}s (> 60s)"
    details = {"latest_height": height, "latest_block_time": at, "seconds_since_block": age}
    return check("block_sync", ok=age < FRESH, message=message, **details)


def summary(checks: list[Check], seconds: float) -> dict[str, Any]:
    """The report around the checks."""
    counts = {
        status: sum(line["status"] == status for line in checks) for status in ("PASS", "FAIL", "UNAVAILABLE")
    }
    overall = "FAIL" if counts["FAIL"] else "UNAVAILABLE" if counts["UNAVAILABLE"] else "PASS"
    now = time.time()
    return {
        "experimental": True,
        "generated_at": chainclock.rfc3339(now),
        "cached_until": chainclock.rfc3339(now + seconds),
        "overall_status": overall,
        "checks": checks,
        "summary": {
            "total_checks": len(checks),
            "passed_checks": counts["PASS"],
            "failed_checks": counts["FAIL"],
            "unavailable_checks": counts["UNAVAILABLE"],
            "issues": [line["message"] for line in checks if line["status"] == "FAIL"],
            "recommendations": [],
        },
    }
