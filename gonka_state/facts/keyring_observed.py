"""What the look at the keyrings says about the account, the passphrase and the warm key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.masking import digest
from gonka_state.core.observation import OBSERVE_AGAIN, Absent, Observation, Present, Unknown, not_looked_at
from gonka_state.facts.keyring import MARK_LENGTH, Keys, unlocked_sibling

if TYPE_CHECKING:
    from pydantic import SecretStr

    from gonka_state.facts.here import Here
    from gonka_state.facts.keyring import KeyringsState
    from gonka_state.resources.account import AccountResource
    from gonka_state.resources.compose_service import ComposeServiceResource
    from gonka_state.resources.env_file import EnvFileResource
    from gonka_state.resources.file import FileResource
    from gonka_state.resources.keyring import KeyringResource
    from gonka_state.resources.warm_key import WarmKeyResource

PASSWORD = "keyring_password"  # noqa: S105 (the name of the word)


def holds_password(mine: FileResource | EnvFileResource, theirs: KeyringResource) -> bool:  # noqa: ARG001 (every need's signature)
    """The file would put the declared passphrase on the host."""
    return PASSWORD in mine.secrets


def runs_on(mine: ComposeServiceResource, theirs: WarmKeyResource) -> bool:
    """The service signs with this key."""
    return mine.name == theirs.service and mine.directory == theirs.directory


def observe_account(state: KeyringsState, resource: AccountResource, here: Here) -> Observation:  # noqa: ARG001
    """In sync while the account's key is in no keyring of this host."""
    if resource.waits:
        return Unknown(resource.waits, hint="\n".join(resource.advice))
    for place in (resource.keyring, unlocked_sibling(resource.keyring)):
        keys = _look(state, place)
        if isinstance(keys, Unknown):
            return keys
        if resource.address in keys.addresses:
            return Present(
                {"on_this_host": True},
                reason=f"the account (cold) key {resource.address} lies in {place}",
                human="the account key belongs offline: it is on a server now",
                hint="delete it there with inferenced keys delete, also from this host's backups, and keep it offline;\n"
                "whoever could read this host's disk may have it: think about another account",
            )
    return Present({"on_this_host": False}, {"address": resource.address})


def observe_keyring(state: KeyringsState, resource: KeyringResource, here: Here) -> Observation:  # noqa: ARG001
    """In sync where the passphrase opens the keyring, or there is none yet."""
    keys, tried = _look(state, resource.name), state.tried.get(resource.name)
    if isinstance(keys, Unknown):
        return keys
    if tried is None or tried.mark != _mark(tried.salt, resource.password):
        return Unknown("another passphrase was tried in this look", OBSERVE_AGAIN)
    if tried.error:
        return Unknown(f"the passphrase of {resource.name} cannot be tried: {tried.error}")
    if tried.outcome == "refused":
        return Present(
            {"opened": False},
            reason=f"network.keyring_password does not open {resource.name}",
            human="the keyring keeps its passphrase, and config.env keeps the one it has",
            hint="declare the passphrase that the keyring was made with; it cannot be changed afterwards",
        )
    if tried.outcome == "nothing" and keys.names:
        return Unknown(
            f"{resource.name} has keys but no keyhash: the passphrase cannot be tried",
            hint="restore keyhash from the backup that the keys are in",
        )
    return Present({"opened": True})


def observe_warm_key(state: KeyringsState, resource: WarmKeyResource, here: Here) -> Observation:  # noqa: ARG001
    """Present with its address, absent, or absent so that only a human may go on."""
    keys = _look(state, resource.keyring)
    if isinstance(keys, Unknown):
        return keys
    if resource.name in keys.names:
        return _present(keys, resource)
    lost = _lost(keys, resource, state.registered.get(resource.account, ""))
    if lost:
        return Absent(reason=lost, human=_NEVER_AGAIN, hint=_recover(resource))
    return Unknown(resource.waits) if resource.waits else Absent()


_NEVER_AGAIN = "a warm key is never made a second time by us"


def _recover(resource: WarmKeyResource) -> str:
    key = f"inferenced keys add {resource.name} --recover --keyring-backend file"
    return "\n".join(
        (
            f"restore {resource.keyring} from its backup; or from the key's mnemonic, in {resource.directory} there:",
            f"  docker compose --env-file config.env run --rm --no-deps {resource.service} {key}",
            "with neither, make a new key the same way without --recover: it needs new grants by the account key",
        )
    )


def _present(keys: Keys, resource: WarmKeyResource) -> Present:
    """The key's address where the names tell it: those of several keys do not say which is whose."""
    address = keys.addresses[0] if len(keys.names) == len(keys.addresses) == 1 else ""
    details = {"address": address, "addresses": list(keys.addresses)}
    if address and address == resource.account:
        return Present(
            {"is_account": True},
            details,
            reason=f"{resource.name} is the account key itself ({address})",
            human="a warm key is another key than the account's: grants from an account to itself mean nothing",
            hint="see account: that key belongs offline; then make another warm key",
        )
    return Present({"is_account": False}, details)


def _lost(keys: Keys, resource: WarmKeyResource, registered: str) -> str:
    """Why a missing key is no fresh start; empty where it is one."""
    if keys.names:
        return f"{resource.keyring} holds {', '.join(keys.names)}, but no {resource.name}"
    if keys.addresses:
        return f"{resource.name}.info is gone from {resource.keyring}, where {', '.join(keys.addresses)} was"
    if registered == "yes":
        return f"{resource.account} is registered on the chain, but {resource.keyring} has no {resource.name}"
    return ""


def _mark(salt: str, password: SecretStr) -> str:
    return digest(salt, password.get_secret_value().encode())[:MARK_LENGTH]


def _look(state: KeyringsState, place: str) -> Keys | Unknown:
    keys = state.keyrings.get(place)
    if keys is None:
        return not_looked_at(place)
    return Unknown(f"{place} cannot be read: {keys.error}") if keys.error else keys
