"""Every symptom that is known, in the order in which one causes the next; and the pains that are none.

`pains` are rows of gonka-contract 10, `plan` lines of the deployment plan's troubleshooting chapter. Each symptom has its
section in docs/troubleshooting.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.engine import symptoms_host as host
from gonka_state.engine import symptoms_network as network
from gonka_state.engine import symptoms_nodes as nodes
from gonka_state.engine.case import says

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.engine.case import Ask


@dataclass(frozen=True, slots=True)
class Symptom:
    """One way to hurt. `ask` answers for one host, None where it cannot hurt so or another symptom tells why."""

    name: str
    asked: str
    meaning: str
    ask: Ask
    pains: tuple[int, ...] = ()
    plan: tuple[int, ...] = ()


_LOGS = "the last words of its containers"
_IN_SAFE = "in a safe phase (gonka-state diff tells it)"
_APP_TOML = (
    "docker stop node\nset iavl-disable-fastnode = true in .inference/config/app.toml\ndocker start node\n"
    "API releases since 0.2.10-post6 do this by themselves"
)

SYMPTOMS: tuple[Symptom, ...] = (
    Symptom(
        "connection", "the look over SSH", "Nothing else can be said of this host.",
        host.connection, plan=(1365, 1371, 1376),
    ),
    Symptom(
        "Docker daemon", "docker info, and the journal of docker.service", "No container can be seen or started.",
        host.docker, plan=(1362, 1369, 1400),
    ),
    Symptom(
        "disk space", "df; what programs say", "Databases break when they cannot write; an upgrade needs 250 GB.",
        host.disk_space, pains=(14,), plan=(1388,),
    ),
    Symptom("disk errors", "the kernel's log", "The disk or its file system is failing.", host.disk_errors, pains=(14,)),
    Symptom(
        "old data backups", "data-backup-* beside the chain's data", "Each upgrade copies the data and keeps the copy.",
        host.backups, pains=(14,),
    ),
    Symptom(
        "application.db", "its size", "The history of states is kept for ever: pruning is off.",
        host.database, pains=(14,),
    ),
    Symptom(
        "ways out", "the requirements of the topic reach", "Models, images or the repository cannot be fetched.",
        host.ways_out, plan=(1365, 1371, 1388),
    ),
    Symptom(
        "open ports", "exposure, firewall, published ports", "Somebody reaches what he should not, or nobody what he must.",
        host.ports, pains=(1, 2), plan=(1376,),
    ),
    Symptom(
        "models", "every declared file of every declared model", "The node has no answer at the next proof of compute.",
        host.models, pains=(11,), plan=(1364, 1388, 1424, 1438),
    ),
    Symptom(
        "unfinished downloads", "files that no download goes on with", "They take room for nothing.",
        host.unfinished, pains=(11,), plan=(1364,),
    ),
    Symptom(
        "GPU errors", "the kernel's log of the last day", "A card fails under load, or is gone until the next boot.",
        host.gpu_errors, pains=(12,), plan=(1363,),
    ),
    Symptom(
        "GPUs", "cards, driver, runtime; cards in the containers", "Fewer cards than declared, or none in the container.",
        host.gpus, pains=(12,), plan=(1363, 1370, 1424),
    ),
    Symptom(
        "containers", "docker inspect of what is declared", "A service does not run, or is not healthy.",
        host.containers, plan=(1369, 1412, 1424, 1458),
    ),
    Symptom(
        "out of memory", "OOMKilled, the kernel's log, docker stats", "Killed processes lose work; NATS keeps all messages.",
        host.memory, pains=(13, 21),
    ),
    Symptom(
        "GPU memory", _LOGS, "vLLM found no memory on the cards and died.",
        says("gpu-memory", "less for vLLM: --gpu-memory-utilization 0.92, --max-num-seqs, --max-model-len in models: args"),
        pains=(13,),
    ),
    Symptom(
        "GPU lost", _LOGS, "The driver does not find a card any more.",
        says("gpu-lost", f"{_IN_SAFE}, on {{host}}:\nnvidia-smi\nsystemctl reboot"), pains=(12,), plan=(1363,),
    ),
    Symptom(
        "port taken", _LOGS, "Another program holds a port that a container publishes.",
        says("port-taken", "on {host}:\nss -Hltnp\ndocker ps --format '{{.Names}} {{.Ports}}'"),
    ),
    Symptom(
        "model files", _LOGS, "vLLM did not find the model in the cache.",
        says("model-files", "gonka-state diff --kind model --host {host} tells what is missing; its revision, too"),
        pains=(11,), plan=(1364,),
    ),
    Symptom(
        "chain node behind", "the own node's RPC", "A node behind the chain signs nothing and misses proof of compute.",
        network.behind, pains=(16,), plan=(1366, 1372, 1412),
    ),
    Symptom(
        "seed node", "the seed's API, RPC and P2P from this host", "A new node never syncs; one in sync goes on without.",
        network.seeds, pains=(16,), plan=(1366,),
    ),
    Symptom(
        "upgrade without binary", "cosmovisor's tree, upgrade-info.json", "The program waits at the upgrade's block.",
        network.upgrade, pains=(15,),
    ),
    Symptom(
        "signing info", _LOGS, "A fault of the fast node index after a start from a snapshot.",
        says("signing-info", f"on {{host}}:\n{_APP_TOML}"), pains=(17,),
    ),
    Symptom(
        "app hash", _LOGS, "Its state differs from the chain's: a wrong binary, or a broken database.",
        says("app-hash", "is the running binary the chain's (gonka-state diff --kind binary)? Else sync anew from a snapshot: "
             "docs of Gonka, 'application.db'"), pains=(15,),
    ),
    Symptom(
        "jailed", "the account's validator on the chain", "It signed fewer than 50 of 100 blocks and is left out.",
        network.jailed, pains=(18,),
    ),
    Symptom(
        "reward", "the last epoch's performance summary", "A reward that is not claimed within an epoch is lost.",
        network.reward, pains=(19,),
    ),
    Symptom(
        "missed requests", "the API's setup report", "Above 10 % the epoch's reward is lost.",
        network.missed, pains=(13, 19),
    ),
    Symptom(
        "warm key", "the keyring's files and passphrase", "The API signs with it; without it nothing is sent.",
        network.warm_key, pains=(8,), plan=(1400, 1448),
    ),
    Symptom(
        "account key", "the keyrings' file names", "The account (cold) key is on a server.",
        network.account_key, pains=(8,), plan=(1400,),
    ),
    Symptom(
        "passphrase", _LOGS, "The keyring's passphrase in config.env is not the keyring's.",
        says("passphrase", "the keyring keeps its own: correct network.keyring_password, gonka-state converge"),
        pains=(8,), plan=(1400,),
    ),
    Symptom(
        "consensus key", "the registered key against the host's own", "Its signatures count for nothing.",
        network.consensus_key, pains=(9,),
    ),
    Symptom(
        "backup", "the last snapshot, and what the repository lists", "A lost disk would take keys and node database with it.",
        network.backup,
    ),
    Symptom(
        "registration", "seed node and own node", "The host is not on the chain.", network.not_registered,
    ),
    Symptom(
        "registered URL", "the registered inference_url", "Requests go to another address than this host's.",
        network.registered_url, pains=(20,),
    ),
    Symptom(
        "grants", "what the account permits the warm key", "The API's transactions are refused, now or soon.",
        network.grants, pains=(10,),
    ),
    Symptom(
        "API", "/v1/status, /v1/participants, the setup report", "Nobody is served, and nodes cannot be managed.",
        network.api, plan=(1400, 1412),
    ),
    Symptom(
        "nodes registered otherwise", "GET /admin/v1/nodes", "node-config.json is read once: only the Admin API changes a node.",
        nodes.registered, pains=(4,),
    ),
    Symptom(
        "nodes not stored", "GET /admin/v1/config", "The API's next restart brings back what is stored.",
        nodes.stored, pains=(23,),
    ),
    Symptom(
        "nodes switched off or on", "admin_state of each node", "A disabled node earns nothing; a restart enables all.",
        nodes.switched_off, pains=(24,),
    ),
    Symptom(
        "models of governance", "/v1/governance/models", "The API drops such a node at its next start or upgrade.",
        nodes.governance, pains=(6,),
    ),
    Symptom(
        "nodes twice", "ids and addresses in the Admin API", "One of them answers for the other; an id stored twice blocks saving.",
        nodes.twice, pains=(22, 23),
    ),
    Symptom(
        "vLLM's memory", "arguments as declared and as registered", "At 0.99 vLLM runs out of memory under load.",
        nodes.greedy, pains=(13,),
    ),
    Symptom(
        "PoC callback", "config.env, and its URL from each ML host", "Proof-of-compute results never arrive: no weight.",
        nodes.callback, pains=(3,),
    ),
    Symptom(
        "ML nodes", "what the API intends, what each node does", "A node that failed or hangs is not noticed by the chain.",
        nodes.silent, pains=(7, 12), plan=(1424,),
    ),
)  # fmt: skip

NONE: Mapping[int, str] = {
    5: "a restart at the wrong time cannot be seen afterwards; steps that disturb wait for a safe phase (decision 0012)",
}
"""Pains that nothing here looks for, by row, and why."""
