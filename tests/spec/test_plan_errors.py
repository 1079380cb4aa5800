"""What the deployment plan has wrong does not come back in the clusters that are delivered.

One case per row of docs/deviations.md that an expanded cluster can show, with the row's number. A case has a rule,
and an overlay that brings the plan's value back: the rule finds nothing in the delivered clusters, and something as
soon as the overlay lies on top (or the YAML is refused).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.masking import placeholder
from gonka_state.errors import InputError
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

ROOT = Path(__file__).parents[2]
PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
JOIN = "/opt/gonka/deploy/join"
LARGE, SMALL = "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "Qwen/Qwen3-32B-FP8"
SERVICES = ["tmkms", "node", "api", "versiond", "bridge", "explorer", "proxy", "mlnode-308", "inference"]
VALUES = {
    f"GONKA_{name}_CLUSTER{number}": value
    for number in (1, 2)
    for name, value in {
        "PUBLIC_HOST": f"203.0.113.{10 + number}", "ACCOUNT_PUBKEY": PUBKEY, "KEYRING_PASSWORD": "correct-horse",
    }.items()
}  # fmt: skip


class Cluster:
    """An expanded cluster, and the questions that the rules ask of it."""

    def __init__(self, desired: Desired[Resource]) -> None:
        self.desired, self.name = desired, desired.cluster
        self.network = f"{self.name}-network"
        self.ml = [host for host in desired.hosts if host != self.network]
        self.texts = {
            str(address): json.dumps(item.resource.model_dump(mode="json"), ensure_ascii=False)
            for address, item in desired.resources.items()
        }

    def of(self, kind: str, *hosts: str) -> Iterator[tuple[str, Any]]:
        """Resources of a kind with `host name` in front, of all hosts or of these."""
        for address, item in self.desired.resources.items():
            if address.kind == kind and (not hosts or address.host in hosts):
                yield f"{address.host} {address.name}", item.resource

    def one(self, kind: str, host: str, name: str) -> Any:  # noqa: ANN401 (a resource of any kind)
        """The resource, or nothing where it is not declared."""
        return dict(self.of(kind, host)).get(f"{host} {name}")

    def variables(self, host: str) -> dict[str, Any]:
        """What config.env of this host gets."""
        return dict(self.one("env-file", host, f"{JOIN}/config.env").variables)

    def address(self, host: str) -> str:
        """Where the host is reached."""
        return self.desired.hosts[host].address

    def saying(self, *words: str) -> Iterator[str]:
        """Addresses of the resources in which one of these regular expressions is found."""
        for address, text in self.texts.items():
            if re.search("|".join(words), f"{address} {text}"):
                yield address


@dataclass(frozen=True)
class Case:
    """A row of docs/deviations.md: its rule, the plan's words, and why they are refused where they are."""

    row: int
    name: str
    rule: Callable[[Cluster], Iterator[str]]
    wrong: str
    refused: str = ""

    @property
    def id(self) -> str:
        """The row's number and what is wrong."""
        return f"row {self.row}: {self.name}"


CASES: list[Case] = []


def row(number: int, name: str, wrong: str, refused: str = "") -> Callable[[Any], Any]:
    """Make the function below the rule of this row; `wrong` are the plan's words, for an overlay of cluster2.

    `refused` is what the YAML's error says, where no such cluster can be declared.
    """

    def keep(rule: Any) -> Any:  # noqa: ANN401 (the function as it is)
        CASES.append(Case(number, name, rule, wrong, refused))
        return rule

    return keep


def says(number: int, name: str, wrong: str, *words: str) -> None:
    """A row whose rule is that nothing says one of these regular expressions."""
    CASES.append(Case(number, name, lambda cluster: cluster.saying(*words), wrong))


def variable(name: str, value: str, role: str = "network") -> str:
    return f"roles: {{{role}: {{env_files: {{{JOIN}/config.env: {{variables: {{{name}: {value}}}}}}}}}}}"


def service(name: str, words: str, role: str = "network") -> str:
    return f"roles: {{{role}: {{services: {{{JOIN}: {{services: {{{name}: {words}}}}}}}}}}}"


def node(words: str, host: str = "cluster2-ml-01") -> str:
    return f"hosts: {{{host}: {{node: {words}}}}}"


def port(number: int, sources: str, role: str = "network") -> str:
    return f"roles: {{{role}: {{container_ports: {{{number}/tcp: {sources}}}}}}}"


says(
    1,
    "another repository",
    "repository: {url: https://github.com/gonka-network/gonka-deploy.git}",
    "gonka-deploy",
)
says(1, "another directory", "repository: {path: /opt/gonka-deploy}", "/opt/gonka-deploy")


@row(1, "compose files elsewhere than in deploy/join", "repository: {path: /opt/elsewhere}")
def _(cluster: Cluster) -> Iterator[str]:
    paths = {resource.name for _, resource in cluster.of("repository")}
    for where, resource in cluster.of("compose-service"):
        if resource.directory.removesuffix("/deploy/join") not in paths:
            yield where


@row(2, "eight servers", "hosts: {cluster2-ml-04: null, cluster2-ml-05: null}")
def _(cluster: Cluster) -> Iterator[str]:
    if len(cluster.ml) != 5 or len(cluster.desired.hosts) != 6:
        yield f"{len(cluster.desired.hosts)} hosts"
    if len(list(cluster.of("node"))) != 6:
        yield "nodes"


@row(3, "hosts of the other cluster", port(9100, "[192.168.1.101]"))
def _(cluster: Cluster) -> Iterator[str]:
    other = {"cluster1": range(106, 112), "cluster2": range(100, 106)}[cluster.name]
    name = {"cluster1": "cluster2", "cluster2": "cluster1"}[cluster.name]
    yield from cluster.saying(name, *(rf"192\.168\.1\.{number}\b" for number in other))


@row(4, "several names for the account key", "network: {account: {key_name: cluster2-account-key}}")
@row(33, "a name that is not the created one", "network: {account: {key_name: cluster2-account-key}}")
def _(cluster: Cluster) -> Iterator[str]:
    for text in cluster.texts.values():
        for name in re.findall(r"[\w-]*account-key[\w-]*", text):
            if name != f"gonka-account-key-{cluster.name}":
                yield name


@row(5, "the account key on a host", "network: {ml_key_name: gonka-account-key-cluster2}")
def _(cluster: Cluster) -> Iterator[str]:
    if "account-key" in cluster.variables(cluster.network)["KEY_NAME"]:
        yield "KEY_NAME"
    yield from (where for where, key in cluster.of("warm-key") if "account-key" in key.name)


@row(
    7,
    "an address for a public key",
    "network: {account: {pubkey: gonka1w508d6qejxtdg4y5r3zarvary0c5xw7k2gsyg6}}",
    refused="is an address",
)
@row(
    8,
    "longer than ten characters",
    "network: {account: {pubkey: 0123456789ab}}",
    refused="is no account public key",
)
def _(cluster: Cluster) -> Iterator[str]:
    key = base64.b64decode(cluster.variables(cluster.network)["ACCOUNT_PUBKEY"], validate=True)
    if len(key) != 33 or key[0] not in (2, 3):
        yield "ACCOUNT_PUBKEY"


says(9, "a placeholder", variable("ACCOUNT_PUBKEY", "PLACEHOLDER_PUBKEY"), "PLACEHOLDER")


@row(
    10,
    "the keyring's password on an ML host",
    variable("KEYRING_PASSWORD", "correct-horse", "ml"),
)
def _(cluster: Cluster) -> Iterator[str]:
    allowed = {"HF_HOME", "PORT", "INFERENCE_PORT"}
    for host in cluster.ml:
        yield from (
            f"{host} {name}"
            for name, value in cluster.variables(host).items()
            if value and name not in allowed
        )
        yield from (where for where, _ in cluster.of("keyring", host))


@row(11, "an inventory name in public", "network: {public_host: cluster2-network}")
def _(cluster: Cluster) -> Iterator[str]:
    values = cluster.variables(cluster.network)
    for name in ("PUBLIC_URL", "P2P_EXTERNAL_ADDRESS"):
        if any(host in values[name] for host in cluster.desired.hosts):
            yield name


@row(
    12,
    "a callback that other hosts cannot resolve",
    variable("DAPI_API__POC_CALLBACK_URL", "http://api:9100"),
)
def _(cluster: Cluster) -> Iterator[str]:
    value = cluster.variables(cluster.network)["DAPI_API__POC_CALLBACK_URL"]
    if value != f"http://{cluster.address(cluster.network)}:9100":
        yield value


@row(13, "no way for the callback", port(9100, "nobody"))
@row(13, "the callback for everybody", port(9100, "any"))
def _(cluster: Cluster) -> Iterator[str]:
    sources = " ".join(cluster.one("container-port", cluster.network, "9100/tcp").sources)
    tried = " ".join(cluster.one("exposure", cluster.network, "9100/tcp").sources)
    if "192.168.1." not in sources or "192.168.1." not in tried or "any" in sources + tried:
        yield sources


def closed(cluster: Cluster, number: int) -> Iterator[str]:
    for kind in ("container-port", "exposure"):
        found = cluster.one(kind, cluster.network, f"{number}/tcp")
        if found is None or found.sources:
            yield f"{kind} {number}"
    yield from (where for where, rule in cluster.of("firewall-rule") if rule.port == str(number))


@row(14, "the chain's RPC for everybody", port(26657, "any"))
@row(14, "the chain's RPC in ufw", "roles: {network: {firewall: {rules: {26657/tcp: any}}}}")
def _(cluster: Cluster) -> Iterator[str]:
    yield from closed(cluster, 26657)


@row(15, "5000 on an ML host", port(5000, "network", "ml"))
@row(15, "5050 for everybody", port(5050, "any", "ml"))
@row(16, "ufw alone before Docker's ports", port(5050, "null", "ml"))
@row(16, "a restriction that nobody tries", "roles: {ml: {exposure: {8080/tcp: null}}}")
def _(cluster: Cluster) -> Iterator[str]:
    wanted = {
        "5050/tcp": (cluster.address(cluster.network),),
        "8080/tcp": (cluster.address(cluster.network),),
    }
    for host in cluster.ml:
        for kind in ("container-port", "exposure"):
            found = {resource.name: tuple(resource.sources) for _, resource in cluster.of(kind, host)}
            if found != wanted:
                yield f"{host} {kind} {found}"


@row(
    17,
    "a balancer instead of the inference service",
    service("inference", "null", "ml"),
    refused="which is not declared",
)
def _(cluster: Cluster) -> Iterator[str]:
    yield from (
        host for host in cluster.desired.hosts if not cluster.one("compose-service", host, "inference")
    )


@row(18, "the plan's ports of a node", node("{inference_port: 5000, poc_port: 8000}"))
def _(cluster: Cluster) -> Iterator[str]:
    for where, resource in cluster.of("node"):
        ports = (5000, 8080) if resource.host == "inference" else (5050, 8080)
        if (resource.inference_port, resource.poc_port) != ports:
            yield where


@row(
    19,
    "health at a port where nobody listens",
    service("inference", '{url: "http://127.0.0.1:5000/health"}', "ml"),
)
def _(cluster: Cluster) -> Iterator[str]:
    yield from (w for w, one in cluster.of("compose-service") if any(":5000/" in url for url in one.url))


@row(20, "the Admin API for others", port(9200, "any"))
@row(20, "the Admin API in ufw", "roles: {network: {firewall: {rules: {9200/tcp: [ml]}}}}")
def _(cluster: Cluster) -> Iterator[str]:
    yield from closed(cluster, 9200)
    yield from (where for where, one in cluster.of("node") if one.api != "http://127.0.0.1:9200")
    override = cluster.one("file", cluster.network, f"{JOIN}/gonka-state-override.yml").content
    if '"127.0.0.1:9200:9200"' not in override:
        yield "override"


@row(23, "an id made of the host's name", node("{id: ml-node-cluster2-ml-01}"))
def _(cluster: Cluster) -> Iterator[str]:
    names = {resource.name for _, resource in cluster.of("node")}
    yield from names ^ {"network-node", *cluster.ml}


@row(24, "a node without a model", "hosts: {cluster2-ml-01: {model: null}}")
def _(cluster: Cluster) -> Iterator[str]:
    models = {resource.about: resource.models for _, resource in cluster.of("node")}
    yield from (host for host in cluster.desired.hosts if len(models.get(host, ())) != 1)


@row(28, "health of the proxy for the API's", service("api", '{url: "http://127.0.0.1:8000/health"}'))
def _(cluster: Cluster) -> Iterator[str]:
    urls = cluster.one("compose-service", cluster.network, "api").url
    if not urls or any(":8000" in url for url in urls):
        yield "api"


@row(27, "the own API about its own registration", "network: {seed: {api_url: http://192.168.1.106:8000}}")
def _(cluster: Cluster) -> Iterator[str]:
    own = {*cluster.desired.hosts, *map(cluster.address, cluster.desired.hosts)}
    found = [resource.seed_api for _, resource in cluster.of("registration")]
    if len(found) != 1 or any(host in found[0] for host in own):
        yield f"registration {found}"


@row(28, "endpoints without the chain", "network: {setup_report: {checks: {versions: null}}}")
def _(cluster: Cluster) -> Iterator[str]:
    checks = cluster.one("setup-report", cluster.network, "block").checks
    yield from {"versions", "block_sync", "permissions_granted", "consensus_key_match"} - set(checks)


@row(29, "an answer for synchronisation", "network: {chain_sync: null}")
def _(cluster: Cluster) -> Iterator[str]:
    if not cluster.one("chain-sync", cluster.network, "node"):
        yield "chain-sync"


@row(36, "a password that is made up", variable("KEYRING_PASSWORD", "generated"))
def _(cluster: Cluster) -> Iterator[str]:
    if cluster.variables(cluster.network)["KEYRING_PASSWORD"] != placeholder("keyring_password"):
        yield "KEYRING_PASSWORD"


@row(37, "the API before the chain", service("api", "{needs: []}"))
def _(cluster: Cluster) -> Iterator[str]:
    for name, before in {"node": "tmkms", "api": "node", "proxy": "api"}.items():
        if f"compose-service:{before}" not in cluster.one("compose-service", cluster.network, name).needs:
            yield name


@row(38, "compose without its environment", f"roles: {{ml: {{services: {{{JOIN}: {{env_file: null}}}}}}}}")
def _(cluster: Cluster) -> Iterator[str]:
    for kind in ("compose-service", "compose-images"):
        yield from (where for where, one in cluster.of(kind) if one.env_file != "config.env")


says(
    39,
    "a word that dash has not",
    f'roles: {{ml: {{env_files: {{{JOIN}/config.env: {{validate_with: source "$1"}}}}}}}}',
    r"\bsource \S",
)
says(40, "COMPOSE_PROJECT_NAME", variable("COMPOSE_PROJECT_NAME", "gonka-network"), "COMPOSE_PROJECT_NAME")
says(40, "TM_HOME", variable("TM_HOME", "/opt/gonka/.tendermint"), "TM_HOME")


@row(41, "Redis", service("redis", "{}"))
@row(42, "other names of containers", service("gonka-ml", "{models: true}", "ml"))
def _(cluster: Cluster) -> Iterator[str]:
    yield from (where for where, resource in cluster.of("compose-service") if resource.name not in SERVICES)


@row(45, "another cache", "hub: {home: /opt/huggingface/cache}")
def _(cluster: Cluster) -> Iterator[str]:
    yield from (where for where, resource in cluster.of("model") if resource.home != "/mnt/shared")
    for host in cluster.desired.hosts:
        if cluster.variables(host)["HF_HOME"] != "/mnt/shared" or not cluster.one(
            "directory", host, "/mnt/shared"
        ):
            yield host


says(46, "--local-dir", "hub: {client: huggingface-cli download --local-dir}", "local-dir", "huggingface-cli")


@row(
    47, "a model of no known revision", f"models: {{{SMALL}: {{revision: main}}}}", refused="is not a commit"
)
def _(cluster: Cluster) -> Iterator[str]:
    yield from (w for w, one in cluster.of("model") if not re.fullmatch("[0-9a-f]{40}", one.revision))


@row(48, "every model on every host", f"hosts: {{cluster2-ml-05: {{cache: [{LARGE}]}}}}")
def _(cluster: Cluster) -> Iterator[str]:
    served = {one.about: set(one.models) for _, one in cluster.of("node")}
    stored: dict[str, set[str]] = {host: set() for host in served}
    for where, resource in cluster.of("model"):
        stored[where.partition(" ")[0]].add(resource.name)
    yield from (host for host in served if served[host] != stored[host])


@row(
    52,
    "a node that only its file configures",
    "roles: {network: {node: null}}",
    refused="which is not declared, or is null",
)
def _(cluster: Cluster) -> Iterator[str]:
    if not cluster.one("node", cluster.network, "network-node"):
        yield "network-node"


@row(53, "a node file of another name", variable("NODE_CONFIG", "./node-config-generated.json"))
def _(cluster: Cluster) -> Iterator[str]:
    named = cluster.variables(cluster.network)["NODE_CONFIG"].removeprefix("./")
    if not cluster.one("file", cluster.network, f"{JOIN}/{named}") or named == "node-config.json":
        yield named


def requirement(name: str, words: str) -> str:
    return f"requirements: {{{name}: {words}}}"


@row(54, "one Docker version", requirement("docker", '{equals: "28.4.0", minimum: null}'))
@row(55, "room on /", requirement("disk-models", "{path: /}"))
@row(56, "Ubuntu or nothing", requirement("os", "{level: block}"))
@row(57, "64 GB for everybody", requirement("memory-ratio", "null"))
def _(cluster: Cluster) -> Iterator[str]:
    found = {where: resource.model_dump() for where, resource in cluster.of("requirement")}
    for host in cluster.desired.hosts:
        wanted: dict[str, dict[str, Any]] = {
            "docker": {"minimum": "28.4", "equals": None, "level": "block"}, "os": {"level": "warn"},
            "disk-models": {"path": "/mnt/shared", "topic": "disk"}, "memory": {"level": "warn"},
            "memory-ratio": {"minimum": "1.5", "level": "warn"},
        }  # fmt: skip
        for name, words in wanted.items():
            if not words.items() <= found.get(f"{host} {name}", {}).items():
                yield f"{host} {name}"


@row(58, "a branch", "repository: {ref: main}", refused="is not a commit")
@row(58, "a tag that does not exist", "repository: {ref: v1.0.0}", refused="is not a commit")
def _(cluster: Cluster) -> Iterator[str]:
    yield from (w for w, one in cluster.of("repository") if not re.fullmatch("[0-9a-f]{40}", one.ref))


@row(60, "cards that nobody counts", service("mlnode-308", "{gpus: any}", "ml"))
def _(cluster: Cluster) -> Iterator[str]:
    yield from (
        where for where, one in cluster.of("compose-service") if one.serves_models and one.gpus != "all"
    )
    yield from cluster.saying("nvidia/cuda")


@row(61, "a file that is removed", f"roles: {{network: {{files: {{{JOIN}/x: {{state: absent}}}}}}}}")
@row(
    61,
    "state that is removed",
    f"roles: {{network: {{files: {{{JOIN}/.inference: {{state: absent}}}}}}}}",
    refused="of which nothing is ever deleted",
)
def _(cluster: Cluster) -> Iterator[str]:
    for address, item in cluster.desired.resources.items():
        if str(item.resource.state) == "absent":
            yield str(address)
    yield from (host for host, kinds in cluster.desired.prune.items() if kinds)


@row(62, "everything at once", "run: {throttle: 6}")
def _(cluster: Cluster) -> Iterator[str]:
    run = cluster.desired.run
    if run.limits(serving=True)["launch"] != 1 or run.throttle != 2:
        yield f"{run.throttle} at once"


@row(64, "defaults for ports", variable("INFERENCE_PORT", "{state: absent}", "ml"))
def _(cluster: Cluster) -> Iterator[str]:
    for host in cluster.desired.hosts:
        values = cluster.variables(host)
        if (values.get("PORT"), values.get("INFERENCE_PORT")) != ("8080", "5050"):
            yield host


@row(65, "host keys unchecked", "ssh: {host_key_checking: false}", refused="unknown key .host_key_checking")
@row(65, "host keys forgotten", "ssh: {known_hosts: /dev/null}")
def _(cluster: Cluster) -> Iterator[str]:
    for login in cluster.desired.hosts.values():
        if login.known_hosts != str(ROOT / "desired/known_hosts"):
            yield login.host


@row(
    66, "HF_HOME for every shell", "roles: {ml: {blocks: {/etc/environment: {content: HF_HOME=/mnt/shared}}}}"
)
def _(cluster: Cluster) -> Iterator[str]:
    yield from cluster.saying("/etc/environment", r"\.bashrc")


@row(67, "the seed's RPC port", "network: {seed: {rpc_url: http://node2.gonka.ai:26657}}")
@row(
    67,
    "an RPC server's port",
    "network: {rpc_servers: [http://node1.gonka.ai:26657, http://node2.gonka.ai:26657]}",
)
def _(cluster: Cluster) -> Iterator[str]:
    yield from cluster.saying(r"gonka\.ai:26657")


@row(68, "granted once", "network: {grants: {renew_days: 1}}")
@row(68, "types of the first release", 'network: {grants: {release: "0.2.0"}}')
def _(cluster: Cluster) -> Iterator[str]:
    grants = [resource for _, resource in cluster.of("grants")]
    if len(grants) != 1 or grants[0].renew_days < 30:
        yield "renew_days"
    yield from (
        "MsgPoCV2StoreCommit" for one in grants if "MsgPoCV2StoreCommit" not in " ".join(one.messages)
    )


@pytest.mark.parametrize("name", ["cluster1", "cluster2"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_delivered_cluster_has_nothing_of(case: Case, name: str, delivered: Mapping[str, Cluster]) -> None:
    assert list(case.rule(delivered[name])) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_plans_value_is_found_or_refused(
    case: Case, models: Mapping[str, type[Resource]], tmp_path: Path
) -> None:
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(f"cluster: cluster2\n{case.wrong}\n")
    if case.refused:
        with pytest.raises(InputError, match=case.refused):
            load([ROOT / "desired/cluster2.yaml"], overlays=[overlay], models=models, env=VALUES)
        return
    wrong = Cluster(load([ROOT / "desired/cluster2.yaml"], overlays=[overlay], models=models, env=VALUES)[0])

    assert list(case.rule(wrong))


@pytest.fixture(scope="module")
def delivered(models: Mapping[str, type[Resource]]) -> dict[str, Cluster]:
    clusters = load([ROOT / "desired"], models=models, env=VALUES)
    return {desired.cluster: Cluster(desired) for desired in clusters}


def test_every_row_here_is_a_row_there() -> None:
    told = (ROOT / "docs/deviations.md").read_text()
    numbers = {int(text) for text in re.findall(r"#(\d+)", told)}
    assert {case.row for case in CASES} <= numbers
