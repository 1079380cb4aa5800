"""What the look at a backup says: is it taken on time, and may a host without keys make new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Value
from gonka_state.core.units import human_age, show_moment
from gonka_state.errors import FactError
from gonka_state.resources.restored_keys import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.facts.backup import BackupState
    from gonka_state.facts.here import Here
    from gonka_state.resources.backup import BackupResource
    from gonka_state.resources.base import Resource
    from gonka_state.resources.compose_service import ComposeServiceResource
    from gonka_state.resources.restored_keys import RestoredKeysResource
    from gonka_state.resources.warm_key import WarmKeyResource

_LOG = "journalctl -u gonka-state-backup, on this host"


def observe_backup(state: BackupState, resource: BackupResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """Scheduled, fresh, whole, read back; absent before the first snapshot."""
    status = state.status or {}
    failure = str(status.get("failure", ""))
    if "snapshot" not in status:
        return Absent(
            reason=f"no snapshot was taken: {failure}" if failure else "", hint=_LOG if failure else ""
        )
    if state.keys_error:
        return Unknown(f"the keys in {resource.directory} cannot be seen: {state.keys_error}")
    try:
        reasons = {
            "scheduled": _unscheduled(state.units.get("timer", {}), state.units.get("service", {})),
            "fresh": _stale(state.now - float(status["time"]), resource.max_age),
            "whole": _holes(state, status),
            "checked": _unread(state, status, resource),
        }
    except (KeyError, TypeError, ValueError) as error:
        raise FactError(f"the status of the last backup cannot be understood: {error}") from error
    attributes: dict[str, Value] = {name: not reason for name, reason in reasons.items()}
    told = [reason for reason in reasons.values() if reason]
    if told and failure:
        told.append(f"the last run failed: {failure}")
    details = {"snapshot": status["snapshot"], "time": status["time"]}
    return Present(attributes, details, reason="; ".join(told), hint=_LOG if told and failure else "")


def _unscheduled(timer: Mapping[str, str], service: Mapping[str, str]) -> str:
    if timer.get("LoadState") != "loaded" or service.get("LoadState") != "loaded":
        return "systemd does not know its units"
    if "yes" in (timer.get("NeedDaemonReload"), service.get("NeedDaemonReload")):
        return "systemd has older units than the files"
    if timer.get("UnitFileState") != "enabled":
        return f"its timer is {timer.get('UnitFileState') or 'not enabled'}"
    return "" if timer.get("ActiveState") == "active" else f"its timer is {timer.get('ActiveState')}"


def _stale(age: float, limit: int) -> str:
    if age <= limit:
        return ""
    return f"the last snapshot is {human_age(age)} old, of {human_age(limit)} at most"


def _holes(state: BackupState, status: Mapping[str, Any]) -> str:
    """Keys that were here when the last snapshot was taken, and are not in it."""
    missing = [
        key for key, since in state.keys.items() if key not in status["keys"] and since < status["time"]
    ]
    return f"the last snapshot is without {', '.join(missing)}" if missing else ""


def _unread(state: BackupState, status: Mapping[str, Any], resource: BackupResource) -> str:
    """A check runs with the first backup after it is due, so it may be a backup's age late."""
    if status.get("check_problem"):
        return f"the repository's check failed: {status['check_problem']}"
    if not status.get("checked"):
        return "the repository was never read back"
    age = state.now - float(status["checked"])
    return (
        f"the repository was last read back {human_age(age)} ago"
        if age > resource.check + resource.max_age
        else ""
    )


def observe_restored(state: BackupState, resource: RestoredKeysResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """Whether every key is there that the newest snapshot has, or may be new."""
    if state.keys_error:
        return Unknown(f"the keys in {resource.directory} cannot be seen: {state.keys_error}")
    allowed = (state.settled or {}).get("new", ())
    missing = [key for key in KEYS if key not in state.keys and key not in allowed]
    if not missing:
        return Present({"settled": True})
    unasked = _unasked(state)
    if unasked is not None:
        return unasked
    if not state.snapshots:
        return _first_launch(state, resource, missing)
    return _to_restore(state, resource, missing)


def _unasked(state: BackupState) -> Unknown | None:
    """Why the repository did not tell what it has of the missing keys; None where it did."""
    if not state.asked:
        return Unknown(
            "the backup was not asked for the keys that are missing here", "look again: gonka-state diff"
        )
    if state.absent:
        pending_on = "package" if "installed" in state.trouble else "file"
        return Unknown(state.trouble, "gonka-state converge sets it up", pending_on=pending_on)
    if state.trouble:
        return Unknown(
            f"keys are missing here, and the backup cannot be asked for them: {state.trouble}",
            hint="no key is made before the repository answers; one that is lost is taken out of the YAML, or replaced",
        )
    return None


def _first_launch(state: BackupState, resource: RestoredKeysResource, missing: list[str]) -> Observation:
    """No snapshot: a first launch, unless the chain knows the account."""
    if not state.registered or state.registered == "no":
        return Present({"settled": True})
    if state.registered != "yes":
        return Unknown(
            f"whether {resource.account} is registered is not known: {state.registered}",
            hint="the repository has no snapshot; new keys are made where the account is not registered yet",
        )
    return Present(
        {"settled": False},
        {"missing": missing},
        reason=f"{resource.account} is registered on the chain, but neither this host nor the repository has {', '.join(missing)}",
        hint="is backup.repository the right one? with --allow fresh-keys new keys are made",
    )


def _to_restore(state: BackupState, resource: RestoredKeysResource, missing: list[str]) -> Observation:
    newest = (state.snapshots or [])[-1]
    paths = [str(path) for path in newest["paths"]]
    inside = [
        key for key in missing if any(_holds(path, f"{resource.directory}/{KEYS[key]}") for path in paths)
    ]
    if not inside:
        return Present({"settled": True})
    return Present(
        {"settled": False},
        {"missing": missing},
        reason=f"{', '.join(inside)} of this cluster lie in snapshot {newest['id']} of {show_moment(newest['time'])}, and not here",
        hint=f"bring them back:\n  gonka-state backup restore {resource.file}\nor make new ones, for ever: --allow fresh-keys",
    )


def _holds(path: str, key: str) -> bool:
    return key == path or key.startswith(f"{path}/")


def makes_keys(mine: ComposeServiceResource, theirs: RestoredKeysResource) -> bool:
    """The service makes keys where there are none."""
    return mine.directory == theirs.directory and mine.name in theirs.services


def in_keyring(mine: WarmKeyResource, theirs: RestoredKeysResource) -> bool:
    """The warm key of the same project."""
    return mine.directory == theirs.directory


def writes_keys(mine: BackupResource, theirs: ComposeServiceResource) -> bool:
    """The service writes what I back up."""
    return mine.directory == theirs.directory and theirs.name in mine.services


def of_program(mine: BackupResource | RestoredKeysResource, theirs: Resource) -> bool:
    """A file or directory of the program, or a unit that starts it."""
    return f"{theirs.name}/".startswith(f"{mine.program}/") or "/gonka-state-backup." in theirs.name
