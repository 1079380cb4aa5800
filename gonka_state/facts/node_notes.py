"""What the network host tells about the cluster as a whole: its address, its nodes, their models and their memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.observation import Note, Value
from gonka_state.core.units import human_bytes
from gonka_state.facts.api_answers import MlNode
from gonka_state.facts.node_status import NO_MODELS, state_of, status_of
from gonka_state.resources.firewall import ContainerPortResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.facts.api_answers import AdminApi, NodesState
    from gonka_state.facts.here import Here
    from gonka_state.resources.node import NodeResource

_RPC = 26657
_MIB = 2**20
_STATUS = {"status": "current_status", "intended_status": "intended_status"}


def notes(state: NodesState, declared: Sequence[NodeResource], here: Here) -> list[Note]:
    """Per API its address and its nodes in numbers, and a line for each declared node."""
    found: list[Note] = []
    for url, api in sorted(state.apis.items()):
        mine = [node for node in declared if node.api == url and node.state == "present"]
        if mine and not api.problem:
            found += [_address(mine[0], here), _numbers(api, mine, here)]
            found += [_node(api, node, here) for node in mine]
    return found


def _address(node: NodeResource, here: Here) -> Note:
    rpc = any(
        isinstance(one, ContainerPortResource) and one.port == _RPC and not one.sources
        for one in here.declared
    )
    where = node.public_url or "its public address is not set"
    text = f"{where}{'; the RPC of its chain node is not public' if rpc else ''}"
    return Note(here.host, "node", "API", text, {"url": node.public_url or "", "rpc_public": not rpc})


def _numbers(api: AdminApi, mine: Sequence[NodeResource], here: Here) -> Note:
    there = [node.name for node in mine if api.find(node.name)]
    values: dict[str, Value] = {"declared": len(mine), "registered": len(there), "version": api.version}
    values |= {"epoch": api.epoch, "phase": api.phase}
    text = f"{len(there)} of {len(mine)} registered"
    if api.taking_part is not None:
        part = [name for name in there if name in api.taking_part]
        values["taking_part"] = len(part)
        text += f", {len(part)} take part in the current epoch"
    elif api.epoch is not None:
        text += "; none takes part in the current epoch, a new one does so after its first PoC"
    return Note(here.host, "node", "nodes", text, values)


def _node(api: AdminApi, node: NodeResource, here: Here) -> Note:
    entry = next(iter(api.find(node.name)), None)
    said = api.ml_nodes.get(node.name, MlNode())
    values: dict[str, Value] = {
        "registered": entry is not None,
        "answers": said.answers,
        "version": said.version,
    }
    values |= {"model": said.loaded, "gpus": said.cards, **_status_values(entry)}
    values |= {"gpu_memory_used": said.used * _MIB, "gpu_memory": said.total * _MIB}
    if not said.answers:
        status = status_of(entry, api.now) if entry is not None else "not registered"
        return Note(here.host, "node", node.name, f"does not answer; {status}".removesuffix("; "), values)
    model = f"{said.loaded} loaded" if said.loaded else "no model loaded, as far as it tells"
    memory = f"{human_bytes(said.used * _MIB)} of {human_bytes(said.total * _MIB)} used on {said.cards} GPUs"
    told = [model, memory if said.cards else "its GPUs are not told"]
    told += [] if entry is not None else ["not registered"]
    return Note(here.host, "node", node.name, ", ".join(told), values)


def _status_values(entry: Mapping[str, Any] | None) -> dict[str, Value]:
    """What the API says the node does, and should do; a failure before the first PoC is none."""
    state = state_of(entry) if entry is not None else {}
    failure = str(state.get("failure_reason") or "")
    words = {name: str(state.get(key) or "") for name, key in _STATUS.items()}
    return {**words, "failure": failure, "before_first_poc": NO_MODELS in failure.lower()}
