"""What the chain's answers say about the declared registration and the declared grants."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Value
from gonka_state.core.permissions import short
from gonka_state.core.units import DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.facts.membership_read import Grant, Membership
    from gonka_state.resources.compose_service import ComposeServiceResource
    from gonka_state.resources.grants import GrantsResource
    from gonka_state.resources.registration import RegistrationResource
    from gonka_state.resources.warm_key import WarmKeyResource

_COLD_ONLY = "the account key alone may do this, and it is on no host"
_SEED = "is the seed node reachable from this host? network.seed.api_url names another one"


def needs_registered(mine: ComposeServiceResource, theirs: RegistrationResource | GrantsResource) -> bool:
    """The service that works with this registration and these grants."""
    return (mine.name, mine.directory) == (theirs.service, theirs.directory)


def granted_to(mine: GrantsResource, theirs: WarmKeyResource) -> bool:
    """The key that the grants are for."""
    return (mine.warm_key, mine.keyring) == (theirs.name, theirs.keyring)


def observe_registration(state: Membership, resource: RegistrationResource, here: Here) -> Observation:
    """Registered with this URL and this key; or not; or only the account is there, which a human must register."""
    details = {"consensus_key": state.node.key}
    if state.registered is None:
        return Unknown(f"the registration is not known: {state.problem}", _SEED, pending_on="chain-sync")
    if not state.registered:
        if state.account is None:
            return Unknown(state.account_problem, _SEED)
        if not state.account:
            return Absent(details=details)
        return Absent(
            details=details,
            reason="the account exists on the chain, but no host is registered with it (funded beforehand?)",
            human="such an account cannot be registered through the seed node; its own key must do it",
            hint=submit(resource, state),
        )
    attributes: dict[str, Value] = {"url": state.url.rstrip("/"), "consensus_key": state.key}
    wanted = wanted_registration(state, resource, here)
    differs = [name for name, value in wanted.items() if attributes[name] != value]
    if not differs:
        return Present(attributes, details)
    return Present(attributes, details, human=_COLD_ONLY, hint=submit(resource, state))


def wanted_registration(state: Membership, resource: RegistrationResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """The URL, and the own node's consensus key; what the answer or the node does not tell is not compared."""
    wanted: dict[str, Value] = {}
    if state.url:
        wanted["url"] = resource.url.rstrip("/")
    key = resource.consensus_key or state.node.key
    if state.key and key:
        wanted["consensus_key"] = key
    return wanted


def submit(resource: RegistrationResource, state: Membership) -> str:
    """The command that the account key registers with, or changes what is registered."""
    key = resource.consensus_key or state.node.key
    words = ["inferenced", "tx", "inference", "submit-new-participant", resource.url]
    words += ["--validator-key", key or "CONSENSUS_KEY", "--from", resource.key_name]
    lines = ["on the machine that has the account key (it may cost gas):"]
    lines += [f"  {_command(words, resource)}"]
    if not key:
        lines.append("CONSENSUS_KEY is shown by: docker exec node inferenced tendermint show-validator")
    return "\n".join(lines)


def _command(words: Sequence[str], resource: RegistrationResource | GrantsResource) -> str:
    rest = ["--keyring-backend", "file", *(["--home", resource.home] if resource.home else [])]
    return shlex.join([*words, *rest, "--gas", "2000000", "--node", resource.seed_rpc])


def observe_grants(state: Membership, resource: GrantsResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """Everything granted to the warm key for long enough; else what is missing and the command that grants it."""
    warm = _warm(state, resource)
    if isinstance(warm, (Unknown, Absent)):
        return warm
    if state.registered is False:
        return Absent(
            reason="nothing is granted before the account is registered",
            human=_COLD_ONLY,
            hint=grant(resource, warm),
        )
    if state.grants is None:
        return Unknown(f"the grants are not known: {state.grants_problem}", _SEED, pending_on="chain-sync")
    mine = {item.message: item for item in state.grants if item.grantee == warm}
    if not set(resource.messages) & set(mine):
        return Absent(reason=_elsewhere(state.grants, warm), human=_COLD_ONLY, hint=grant(resource, warm))
    missing = [short(message) for message in resource.messages if message not in mine]
    expiring = _expiring([mine[message] for message in resource.messages if message in mine], resource, state)
    fees = state.allowances.get(warm)
    attributes: dict[str, Value] = {"missing": missing, "expiring": expiring, "fee_allowance": fees}
    details = {"warm_address": warm, "until": _last_day(mine, resource)}
    if not missing and not expiring and (fees is not False or resource.fee_allowance is None):
        return Present(attributes, details)
    return Present(
        attributes,
        details,
        reason=_elsewhere(state.grants, warm) if missing else "",
        human=_COLD_ONLY,
        hint=grant(resource, warm),
        blocks=bool(missing),
    )


def wanted_grants(state: Membership, resource: GrantsResource, here: Here) -> dict[str, Value]:  # noqa: ARG001
    """Nothing missing, nothing expiring; the fee allowance where the chain says whether there is one."""
    wanted: dict[str, Value] = {"missing": [], "expiring": []}
    warm = _warm(state, resource)
    if resource.fee_allowance and isinstance(warm, str) and state.allowances.get(warm) is not None:
        wanted["fee_allowance"] = True
    return wanted


def grant(resource: GrantsResource, warm: str) -> str:
    """The command that grants or renews everything; its first argument is the key's name (gonka-contract 6.3)."""
    words = ["inferenced", "tx", "inference", "grant-ml-ops-permissions", resource.key_name, warm]
    return "\n".join(
        (
            "on the machine that has the account key (it asks for its passphrase, and may cost gas):",
            f"  {_command([*words, '--from', resource.key_name], resource)}",
        )
    )


def _warm(state: Membership, resource: GrantsResource) -> str | Unknown | Absent:
    """The warm key's address, by the file names of its keyring."""
    keyring = state.keyring
    if keyring.problem:
        return Unknown(f"{resource.keyring} cannot be read: {keyring.problem}")
    if resource.warm_key not in keyring.names:
        return Absent(
            reason=f"there is no warm key {resource.warm_key} yet",
            human=_COLD_ONLY,
            hint="once the key is there, gonka-state diff prints the command",
        )
    addresses = [address for address in keyring.addresses if address != resource.name]
    if len(addresses) == 1:
        return addresses[0]
    granted = {item.grantee for item in state.grants or ()} & set(addresses)
    if len(granted) == 1:
        return granted.pop()
    return Unknown(
        f"{resource.keyring} holds {len(addresses)} addresses: which is that of {resource.warm_key} takes its passphrase",
        hint=f"inferenced keys show {resource.warm_key} -a --keyring-backend file, in the container api",
    )


def _elsewhere(grants: Sequence[Grant], warm: str) -> str:
    """Who was granted something instead."""
    others = sorted({item.grantee for item in grants} - {warm})
    return f"granted to {', '.join(others[:3])}, which is not the warm key {warm}" if others else ""


def _expiring(grants: Sequence[Grant], resource: GrantsResource, state: Membership) -> list[str]:
    """What ends too soon, by day: `20 on 2026-12-20`."""
    days: dict[str, int] = {}
    for item in grants:
        if item.expires is not None and item.expires < state.now + resource.renew_days * DAY:
            day = _day(item.expires)
            days[day] = days.get(day, 0) + 1
    return [f"{count} on {day}" for day, count in sorted(days.items())]


def _last_day(grants: dict[str, Grant], resource: GrantsResource) -> str:
    ends = [grants[message].expires for message in resource.messages if message in grants]
    known = [end for end in ends if end is not None]
    return _day(min(known)) if known else ""


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
