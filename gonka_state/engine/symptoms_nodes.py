"""What is asked about ML nodes: what the API holds of them, what they do, and how they find their way back to it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from gonka_state.core import checklist
from gonka_state.core.diagnosis import Finding, clear, found, unknown
from gonka_state.engine.case import differs, in_attributes, missing
from gonka_state.engine.criteria_nodes import node_checks
from gonka_state.engine.told import reasons, unseen
from gonka_state.facts.node_observed import attributes_of, everything
from gonka_state.facts.nodes import FACT
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.change import Change
    from gonka_state.engine.case import Case
    from gonka_state.facts.api_answers import AdminApi

GREEDY = 0.99
"""The part of a card's memory that leaves vLLM no room: it dies under load (gonka-contract 10, row 13)."""

UTILISATION = "--gpu-memory-utilization"


def _apis(case: Case) -> Mapping[str, AdminApi]:
    """The Admin APIs that answered, by URL."""
    if not case.all(NodeResource):
        return {}
    state = case.section(FACT)
    return {} if isinstance(state, str) else {url: api for url, api in state.apis.items() if not api.problem}


def _dark(case: Case) -> Finding | None:
    """Why nothing is known of the nodes; None where there is none, or something is known."""
    dark = unseen([change for _, change in case.all(NodeResource)])
    return unknown(*reasons(dark)) if dark else None


def silent(case: Case) -> Finding | None:
    """Nodes that failed or do not answer; one that waits for its first PoC is neither."""
    names = {resource.name for resource, _ in case.all(NodeResource)}
    if not names:
        return None
    notes = [note for note in case.compared.plan.notes if note.host == case.host and note.name in names]
    checks = list(node_checks(notes, case.desired.limits, case.follows))
    bad = [check for check in checks if check.verdict is checklist.Verdict.FAILED]
    if bad:
        told = "; ".join(f"{check.name.removeprefix('node ')}: {check.evidence}" for check in bad)
        hosts = [
            r.about
            for r, _ in case.all(NodeResource)
            if r.about and f"node {r.name}" in {c.name for c in bad}
        ]
        logs = [f"gonka-state logs {host} mlnode-308 --path {case.desired.file}" for host in hosts]
        again = [f"gonka-state restart mlnode-308 {case.desired.file} --host {host}" for host in hosts]
        return found(told, "\n".join(dict.fromkeys([*logs, *again])))
    waiting = [note.name for note in notes if note.values.get("before_first_poc")]
    if waiting:
        return clear(
            f"{', '.join(waiting)}: 'No epoch models available' is no error before the first PoC (about a day)"
        )
    return _dark(case) or clear(f"{len(checks)} looked at")


def switched_off(case: Case) -> Finding | None:
    """Nodes that are disabled and should not be, or enabled and should not be (an API forgets it when it restarts)."""
    if not _apis(case):
        return _dark(case)
    declared, by_hand = dict[str, str](), dict[str, str]()
    for resource, change in case.all(NodeResource):
        off = _listed(case, resource).get("enabled") is False
        if change.pending and in_attributes("enabled")(change):
            declared[resource.name] = f"{resource.name} is {'disabled' if off else 'enabled again'}"
        elif off and resource.enabled is None and resource.state == "present":
            by_hand[resource.name] = f"curl -X POST {resource.api}/admin/v1/nodes/{resource.name}/enable"
    if not (declared or by_hand):
        return clear("as declared")
    told = [*declared.values(), *(f"{name} is disabled, and no YAML says so" for name in by_hand)]
    fix = [case.command("node")] if declared else []
    fix += ["on this host, or say enabled: false in the YAML:", *by_hand.values()] if by_hand else []
    return found("; ".join(told), "\n".join(fix))


def _listed(case: Case, resource: NodeResource) -> Mapping[str, Any]:
    api = _apis(case).get(resource.api)
    entries = api.find(resource.name) if api is not None else []
    return attributes_of(entries[0]) if entries else {}


def governance(case: Case) -> Finding | None:
    """Nodes with a model that the chain does not pay for: the API drops them when it starts the next time."""
    apis = _apis(case)
    if not apis:
        return None
    told, known = [], set[str]()
    for api in apis.values():
        if api.governance is None:
            return unknown(f"the models of governance are not known: {api.governance_problem}")
        known |= api.governance
        for name, entry in everything(api).items():
            strange = sorted(set(attributes_of(entry)["models"]) - api.governance)
            told += [f"{name}: {', '.join(strange)}"] if strange else []
    for resource, _ in case.all(NodeResource):
        strange = sorted(set(resource.models) - known)
        told += [f"{resource.name}, as declared: {', '.join(strange)}"] if strange else []
    if told:
        fix = f"name one of these as the host's model, then converge before the next upgrade: {', '.join(sorted(known))}"
        return found("; ".join(told), fix)
    return clear(f"{len(known)} models are governance's")


def twice(case: Case) -> Finding | None:
    """Ids and addresses that an API lists or stores more than once."""
    apis = _apis(case)
    if not apis:
        return None
    told = []
    for api in apis.values():
        stored = Counter(str(node.get("id")) for node in api.stored or ())
        ids = Counter(str(entry["node"].get("id")) for entry in api.nodes)
        places = Counter(f"{e['node'].get('host')}:{e['node'].get('inference_port')}" for e in api.nodes)
        told += [f"{name} is stored {count} times" for name, count in stored.items() if count > 1]
        told += [f"{name} is listed {count} times" for name, count in ids.items() if count > 1]
        told += [
            f"{count} nodes are at {place}" for place, count in places.items() if count > 1 and len(ids) > 1
        ]
    fix = "remove the one that is nobody's, on this host:\ncurl -X DELETE http://127.0.0.1:9200/admin/v1/nodes/ID"
    return found("; ".join(told), f"{fix}\nthen {case.command('node')}") if told else clear()


def greedy(case: Case) -> Finding | None:
    """Arguments of vLLM that leave no memory, as declared and as registered."""
    mine = case.all(NodeResource)
    if not mine:
        return None
    told = dict[str, None]()
    for resource, _ in mine:
        for models in (resource.models, _listed(case, resource).get("models") or {}):
            for model, entry in models.items():
                value = _utilisation(entry.get("args") or [])
                if value >= GREEDY:
                    told[f"{resource.name}: {model} with {UTILISATION} {value:g}"] = None
    fix = f"models: … args: [{UTILISATION}, '0.92'] in the cluster's YAML, then\n{case.command('node')}"
    return found("; ".join(told), fix) if told else clear()


def _utilisation(args: list[Any]) -> float:
    for option, value in pairwise(map(str, args)):
        if option == UTILISATION:
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 0.0


CALLBACK = "DAPI_API__POC_CALLBACK_URL"


def callback(case: Case) -> Finding | None:
    """The way that proof-of-compute results take back: as config.env has it, and whether each ML host finds it."""
    mine = [(file, change) for file, change in case.all(EnvFileResource) if file.variables.get(CALLBACK)]
    if mine:
        return _configured(case, [change for _, change in mine])
    ways = case.extra.ways
    if ways is None:
        return None
    if isinstance(ways, str):
        return unknown(ways)
    lost = [f"{target}: {said}" for target, said in ways.items() if said != "ok"]
    fix = (
        f"{CALLBACK} in config.env of the network host: its private address and port 9100, not 'api';\n"
        "then firewall and exposure of 9100/tcp there, for the ML hosts alone"
    )
    return found("; ".join(lost), fix) if lost else clear(", ".join(ways))


def _configured(case: Case, changes: list[Change]) -> Finding | None:
    wrong = [
        f"{change.address.name} has {CALLBACK}={item.before}"
        for change in changes
        if change.pending
        for item in change.attributes
        if item.name == f"variables.{CALLBACK}"
    ]
    if wrong:
        return found("; ".join(wrong), case.command("env-file", "compose-service"))
    dark = unseen(changes)
    return unknown(*reasons(dark)) if dark else clear("as declared")


def _otherwise(change: Change) -> bool:
    """Registered otherwise, or not at all; what is stored and what is enabled are symptoms of their own."""
    return missing(change) or any(
        item.name.split(".")[0] not in {"persisted", "enabled"} for item in change.attributes
    )


registered = differs("node", when=_otherwise)
stored = differs("node", when=in_attributes("persisted"))
