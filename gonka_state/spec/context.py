"""What a template may name: the cluster, its network, the host, and the file's own variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from gonka_state.spec.checks import default_id
from gonka_state.spec.host_words import NETWORK
from gonka_state.spec.references import usable
from gonka_state.spec.templates import shown_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.spec.problems import Problems
    from gonka_state.spec.references import References, Value, Withheld
    from gonka_state.spec.tree import Node
    from gonka_state.spec.words import Cluster

KEYRING = "keyring_password"


@dataclass(slots=True)
class Context:
    """The words of one cluster's templates; operator's values are resolved once, when it is made."""

    words: Cluster
    tree: Node
    references: References
    problems: Problems
    public_host: Value | None = None
    pubkey: Value | None = None
    password: Value | None = None

    def of(self, host: str, file: Node) -> tuple[dict[str, Any], Mapping[str, SecretStr]]:
        """The names that a file of a host may use, and the secrets among them."""
        secrets = {KEYRING: self.password} if isinstance(self.password, SecretStr) else {}
        values = self._shared() | {"host": self._host(host)}
        if self.words.repository is not None:
            values["repository"] |= {"owner": self.words.keeper(host)}
        variables = file.get("vars")
        for name, node in ((variables.entries if variables is not None else None) or {}).items():
            if name in values or name == KEYRING:
                self.problems.add(
                    node.where, f"{name!r} already has a meaning in templates; take another name"
                )
                continue
            if node.entries is None or not usable(node):
                values[name] = node.scalar
                continue
            value = self.references.value(node, secret=True)
            if isinstance(value, SecretStr):
                secrets[name] = value
            values[name] = shown_value(name, value)
        return values, secrets

    def _shared(self) -> dict[str, Any]:
        words = self.words
        return {
            "cluster": words.cluster,
            "lab": words.lab,
            "network": self._network(),
            "hosts": [self._host(name) for name in words.hosts],
            "hub": words.hub.model_dump(exclude_none=True) if words.hub else {},
            "repository": words.repository.model_dump() if words.repository else {},
            "models": {name: model.model_dump(exclude_none=True) for name, model in words.models.items()},
        }

    def _host(self, name: str) -> dict[str, Any]:
        host = self.words.hosts[name]
        found: dict[str, Any] = {
            "name": name,
            "address": host.address,
            "role": host.role,
            "cache": list(host.cache),
        }
        if host.node is not None:
            node = host.node.model_dump(exclude_none=True, exclude={"needs", "maintenance", "state"})
            found["node"] = {"id": default_id(name, host.role), "host": host.address} | node
        return found | {
            key: getattr(host, key) for key in ("model", "gpus") if getattr(host, key) is not None
        }

    def _network(self) -> dict[str, Any]:
        """Only what is declared: StrictUndefined names the rest."""
        words = self.words.network
        own = next(
            (host.address for host in self.words.hosts.values() if host.role == NETWORK), words.address
        )
        account = {"key_name": words.account.key_name, "pubkey": _shown("pubkey", self.pubkey)}
        found = {
            "address": own,
            "managed": words.managed,
            "ml_key_name": words.ml_key_name,
            "seed": words.seed.model_dump() if words.seed else None,
            "rpc_servers": words.rpc_servers,
            "public_host": _shown("public_host", self.public_host),
            KEYRING: _shown(KEYRING, self.password),
            "account": {name: value for name, value in account.items() if value is not None},
        }
        return {name: value for name, value in found.items() if value is not None}


def _shown(name: str, value: Value | Withheld | None) -> object:
    return None if value is None else shown_value(name, value)
