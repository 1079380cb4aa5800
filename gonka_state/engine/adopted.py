"""What was found on hosts, in the words of a cluster file: a wish that they meet already, but safe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gonka_state.engine.adopted_nodes import register
from gonka_state.engine.adopted_services import Projects, container_ports, projects
from gonka_state.errors import GonkaStateError
from gonka_state.facts.adoption import ML_VARIABLES, NETWORK_VARIABLES
from gonka_state.facts.model_cache import judge
from gonka_state.spec.host_words import ML, NETWORK
from gonka_state.spec.operator_values import CHECKS
from gonka_state.spec.write import reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.facts.adoption import Found
    from gonka_state.facts.env_file import EnvFile

PASSWORD = "KEYRING_PASSWORD"  # noqa: S105  (a name)
ORDER = (
    "address", "role", "model", "cache", "node", "authorized_keys", "docker_daemon", "container_ports",
    "env_files", "services", "resources",
)  # fmt: skip
HOIST = ("authorized_keys", "docker_daemon", "container_ports", "env_files", "services")
"""What stands under the role where all its hosts have the same."""


@dataclass(slots=True)
class Adopted:
    """A cluster in the making. `notes` tell the operator what was left out, and why."""

    cluster: str
    found: Mapping[str, Found]
    addresses: Mapping[str, str]
    words: dict[str, Any] = field(default_factory=dict)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def reference(self, name: str) -> dict[str, str]:
        """A value of this cluster that only the operator knows."""
        return reference(self.cluster, name)


def adopt(
    cluster: str, ssh: Mapping[str, Any], key: str, found: Mapping[str, Found], addresses: Mapping[str, str]
) -> Adopted:
    """The whole cluster file as a value; `key` is the public half of the key that logs in.

    Raises:
        GonkaStateError: no host, or more than one, is a network node; its Admin API does not answer.
    """
    made = Adopted(cluster, found, addresses)
    network = _network(found)
    ways = {name: projects(host) for name, host in found.items()}
    for name in found:
        made.hosts[name] = {
            "address": addresses[name],
            "role": NETWORK if name == network else ML,
            "authorized_keys": {ssh["user"]: [key]},
        }
        if not found[name].iptables:
            made.hosts[name]["docker_daemon"] = {"iptables": True}
    made.words |= {"cluster": cluster, "ssh": dict(ssh), "network": _account(made, ways[network], network)}
    _checkouts(made, ways)
    _models(made)
    for name, way in ways.items():
        _services(made, name, way)
    register(made, network)
    _hoist(made)
    made.words["hosts"] = {name: _ordered(host) for name, host in made.hosts.items()}
    return made


def _ordered(host: Mapping[str, Any]) -> dict[str, Any]:
    return {word: host[word] for word in ORDER if word in host}


def _network(found: Mapping[str, Found]) -> str:
    """The host that runs the API."""
    running = [name for name, host in found.items() if any(one.service == "api" for one in host.containers)]
    if len(running) != 1:
        have = f"these do: {', '.join(running)}" if running else "none does"
        raise GonkaStateError(
            f"exactly one host of a cluster runs the service api, and {have}",
            hint="name all hosts of one cluster, its network node included, and no others",
        )
    apis = found[running[0]].apis.values()
    problem = next((api.problem for api in apis if api.problem), "")
    if problem or not apis:
        raise GonkaStateError(
            f"{running[0]}: the Admin API {problem}",
            hint="its nodes cannot be told: docker logs --tail 20 api, then adopt again",
        )
    return running[0]


def _account(made: Adopted, way: Projects, network: str) -> dict[str, Any]:
    """What the network host's variables say about the cluster; a value that cannot be one is not taken."""
    file = made.found[network].env_files.get(way.env_file)
    values = file.values if file else {}
    host = urlsplit(values.get("PUBLIC_URL", "")).hostname or ""
    pubkey = values.get("ACCOUNT_PUBKEY", "")
    words: dict[str, Any] = {
        "public_host": made.reference("PUBLIC_HOST") if CHECKS["public_host"](host) else host,
        "account": {
            "pubkey": made.reference("ACCOUNT_PUBKEY") if CHECKS["account.pubkey"](pubkey) else pubkey
        },
    }
    if values.get("KEY_NAME"):
        words["ml_key_name"] = values["KEY_NAME"]
    return words | {"keyring_password": made.reference(PASSWORD)}


def _checkouts(made: Adopted, ways: Mapping[str, Projects]) -> None:
    """One `repository` where all hosts have the same, unedited; else each host's own."""
    own = {name: _checkout(made.found[name]) for name in ways}
    values = [value for value in own.values() if value]
    same = values and len(values) == len(own) and all(value == values[0] for value in values)
    if same and not any(host.checkouts[values[0]["name"]].edits for host in made.found.values()):
        first = values[0]
        made.words["repository"] = {
            "url": first["url"], "ref": first["ref"], "path": first["name"], "owner": first["owner"],
        }  # fmt: skip
        return
    for name, value in own.items():
        if value:
            _raw(made, name, {"kind": "repository", **value})
            edits = made.found[name].checkouts[value["name"]].edits
            if edits:
                made.notes.append(
                    f"{name}: {value['name']} has local edits, left as they are: {', '.join(edits)}"
                )


def _checkout(host: Found) -> dict[str, str]:
    for path, one in host.checkouts.items():
        if one.state == "checkout" and one.head and one.url and not one.error:
            return {"name": path, "url": one.url, "ref": one.head, "owner": host.owners.get(path, "root")}
    return {}


def _raw(made: Adopted, host: str, resource: dict[str, Any]) -> None:
    made.hosts[host].setdefault("resources", []).append(resource)


def complete(host: Found) -> dict[str, tuple[str, str]]:
    """The commit and home of every model that is whole: where main stands, else the only one."""
    whole: dict[str, tuple[str, str]] = {}
    for home, known in host.models.homes.items():
        for name, model in known.items():
            commits = sorted(commit for commit in model.snapshots if judge(model, commit).complete)
            main = host.mains.get(home, {}).get(name, "")
            if main in commits or len(commits) == 1:
                whole[name] = (main if main in commits else commits[0], home)
    return whole


def _models(made: Adopted) -> None:
    """`hub`, `models` and each host's `cache`, in the home and at the commit that most hosts have."""
    whole = {name: complete(host) for name, host in made.found.items()}
    homes = Counter(home for models in whole.values() for _, home in models.values())
    if not homes:
        return
    home = homes.most_common(1)[0][0]
    made.words["hub"] = {"home": home}
    made.words["models"] = {}
    for model in sorted({model for models in whole.values() for model in models}):
        commits = Counter(models[model][0] for models in whole.values() if model in models)
        made.words["models"][model] = {"revision": commits.most_common(1)[0][0]}
    for name, models in whole.items():
        for model, (commit, where) in sorted(models.items()):
            if where == home and commit == made.words["models"][model]["revision"]:
                made.hosts[name].setdefault("cache", []).append(model)
            else:
                _raw(made, name, {"kind": "model", "name": model, "revision": commit, "home": where})


def _services(made: Adopted, name: str, way: Projects) -> None:
    host, words = made.found[name], made.hosts[name]
    role = words["role"]
    ports = container_ports(host, role, ml=len(made.found) > 1)
    if ports:
        words["container_ports"] = ports
    file = host.env_files.get(way.env_file)
    if file is not None:
        words["env_files"] = {way.env_file: _env_file(made, file, role)}
    if way.words:
        words["services"] = way.words
    elif not way.raw:
        made.notes.append(f"{name}: no service of Gonka's runs here")
    for resource in way.raw:
        _raw(made, name, resource)
    made.notes += [f"{name}: {note}" for note in way.notes]


def _env_file(made: Adopted, file: EnvFile, role: str) -> dict[str, Any]:
    """Gonka's own variables as they are, the password as a reference, for the owner's eyes only."""
    names = (*ML_VARIABLES, *(NETWORK_VARIABLES if role == NETWORK else ()))
    variables: dict[str, Any] = {
        name: file.values[name] for name in file.lines if name in names and name in file.values
    }
    pubkey = variables.get("ACCOUNT_PUBKEY")
    if pubkey is not None and CHECKS["account.pubkey"](pubkey):
        variables["ACCOUNT_PUBKEY"] = made.reference("ACCOUNT_PUBKEY")
    if PASSWORD in file.undeclared:
        variables[PASSWORD] = made.reference(PASSWORD) if role == NETWORK else {"state": "absent"}
    mode = file.found.mode if file.found.mode in {"0400", "0600"} else "0600"
    return {"variables": variables, "mode": mode, "owner": file.found.owner, "group": file.found.group}


def _hoist(made: Adopted) -> None:
    """Say once, under the role, what all its hosts have alike."""
    roles: dict[str, dict[str, Any]] = {}
    for role in (NETWORK, ML):
        mine = [host for host in made.hosts.values() if host["role"] == role]
        for word in HOIST:
            values = [host.get(word) for host in mine]
            if values and values[0] and all(value == values[0] for value in values):
                roles.setdefault(role, {})[word] = values[0]
                for host in mine:
                    del host[word]
    if roles:
        made.words["roles"] = roles
