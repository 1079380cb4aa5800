"""The rules of the Admin API's nodes, of both eras: what is accepted, refused, kept and answered.

Fields and rules: gonka-contract 1.2; the answer: 1.3; errors: 1.4; an id that is known already: 1.5 and 1.6; what is
stored: 1.7.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection

    from gonka_state.lab.standins.jsons import Json

PORTS = range(1, 65536)
INTEGERS = ("inference_port", "poc_port", "max_concurrent")
STRINGS = ("id", "host", "inference_segment", "poc_segment")
Config = dict[str, Any]


class RefusedError(Exception):
    """A node that the API does not take; the text is its own."""


def parse(value: Json) -> Config:
    """Read a body as the API's struct: unknown keys dropped, missing ones empty, wrong types refused.

    Raises:
        RefusedError: a value has another type than the struct.
    """
    if not isinstance(value, dict):
        raise RefusedError("code=400, message=Unmarshal type error: expected=apiconfig.InferenceNodeConfig")
    node: Config = {}
    for name in STRINGS:
        node[name] = _typed(value, name, str, "")
    for name in INTEGERS:
        node[name] = _typed(value, name, int, 0)
    models = _typed(value, "models", dict, {})
    node["models"] = {model: {"args": _args(model, settings)} for model, settings in models.items()}
    node["hardware"] = _typed(value, "hardware", list, None)
    return node


def _typed(value: Config, name: str, kind: type, empty: Json) -> Json:
    found = value.get(name)
    if found is None:
        return empty
    if not isinstance(found, kind) or isinstance(found, bool):
        said = f"code=400, message=Unmarshal type error: expected={kind.__name__}, got={type(found).__name__}"
        raise RefusedError(f"{said}, field={name}")
    return found


def _args(model: str, settings: Json) -> list[str] | None:
    args = settings.get("args") if isinstance(settings, dict) else None
    if args is not None and not (isinstance(args, list) and all(isinstance(word, str) for word in args)):
        raise RefusedError(
            f"code=400, message=Unmarshal type error: expected=[]string, field=models.{model}.args"
        )
    return args


def problems(node: Config) -> list[str]:
    """What is wrong with a node by itself."""
    found = []
    if not node["id"].strip():
        found.append("node id is required and cannot be empty")
    if not node["host"].strip():
        found.append("host is required and cannot be empty")
    found += [
        f"{name} must be between 1 and 65535, got {node[name]}"
        for name in ("inference_port", "poc_port")
        if node[name] not in PORTS
    ]
    if node["max_concurrent"] <= 0:
        found.append(f"max_concurrent must be greater than 0, got {node['max_concurrent']}")
    if not node["models"]:
        found.append("at least one model must be specified")
    return found


def fresh_state(epoch: int) -> dict[str, Any]:
    """What a node's state is before anybody has looked at it."""
    return {
        "intended_status": "UNKNOWN",
        "current_status": "UNKNOWN",
        "poc_intended_status": "IDLE",
        "poc_current_status": "IDLE",
        "lock_count": 0,
        "failure_reason": "",
        "status_timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000000000Z", time.gmtime()),
        "admin_state": {"enabled": True, "epoch": epoch},
        "epoch_models": {},
        "epoch_ml_nodes": {},
    }


@dataclass
class Broker:
    """The nodes as the API holds them: in memory, with a stored list beside that outlives a restart."""

    governance: list[str]
    seed_era: bool = False
    epoch: int = 1
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    stored: list[Config] = field(default_factory=list)
    registrations: int = 0

    def load(self, stored: list[Config]) -> None:
        """Register what was stored; what is no longer accepted stays stored and is not served."""
        for node in stored:
            try:
                self._register(parse(node))
            except RefusedError:
                continue
        self.stored = stored

    def listing(self, in_epoch: Collection[str] = ()) -> list[dict[str, Any]]:
        """What GET nodes answers, in no particular order; `in_epoch` take part in the current epoch."""
        found = []
        for name, entry in self.nodes.items():
            models = entry["node"]["models"] if name in in_epoch else ()
            part = {model: {"node_id": name, "throughput": 1000, "poc_weight": 100} for model in models}
            found.append({"node": entry["node"], "state": {**entry["state"], "epoch_ml_nodes": part}})
        return found

    def upsert(self, node: Config) -> Config:
        """POST or PUT: the id in the body decides.

        Raises:
            RefusedError: with the API's own text and the status it answers with.
        """
        if node["id"] in self.nodes and not self.seed_era:
            return self._update(node)
        return self.create(node)

    def create(self, node: Config) -> Config:
        """Register a node and append it to the stored list (in the seed era even when it is there)."""
        accepted = self._register(node)
        self.stored.append(accepted)
        return accepted

    def _register(self, node: Config) -> Config:
        if not self.seed_era:
            self._validate(node)
            models = {model: args for model, args in node["models"].items() if model in self.governance}
            if not models:
                raise RefusedError(f"node {node['id']} has no governance-valid models")
            node = {**node, "models": models}
        elif unknown := [model for model in node["models"] if model not in self.governance]:
            raise RefusedError(f"not a governance model: {unknown[0]}")
        self.registrations += 1
        self._keep(node, self.registrations, fresh_state(self.epoch))
        return node

    def _update(self, node: Config) -> Config:
        self._validate(node)
        for model in node["models"]:
            if model not in self.governance:
                raise RefusedError(f"model {model} is not a valid governance model")
        entry = self.nodes[node["id"]]
        self._keep(node, entry["node"]["node_num"], entry["state"])
        self.stored = [self._flat(item["node"]) for item in self.nodes.values()]
        return node

    def _keep(self, node: Config, number: int, state: dict[str, Any]) -> None:
        models = {model: {"args": list(value["args"] or [])} for model, value in node["models"].items()}
        served = {**node, "models": models, "node_num": number}
        if self.seed_era:
            served["version"] = ""
        self.nodes[node["id"]] = {"node": served, "state": state}

    def _validate(self, node: Config) -> None:
        found = problems(node)
        for key, kind in (("inference_port", "inference"), ("poc_port", "PoC")):
            for name, entry in self.nodes.items():
                other = entry["node"]
                if name != node["id"] and (other["host"], other[key]) == (node["host"], node[key]):
                    place = f"{node['host']}:{node[key]}"
                    found.append(
                        f"duplicate {kind} host+port combination: {place} (already used by node '{name}')"
                    )
                    break
        if found:
            raise RefusedError(f"validation failed: {'; '.join(found)}")

    def delete(self, name: str) -> bool:
        """Forget a node; False when there is none."""
        existed = self.nodes.pop(name, None) is not None
        self.stored = [self._flat(item["node"]) for item in self.nodes.values()]
        return existed

    def enable(self, name: str, *, enabled: bool) -> bool:
        """Set the administrative state, which no restart survives; False when there is no such node."""
        if name in self.nodes:
            self.nodes[name]["state"]["admin_state"] = {"enabled": enabled, "epoch": self.epoch}
        return name in self.nodes

    @staticmethod
    def _flat(node: Config) -> Config:
        return {key: value for key, value in node.items() if key not in {"node_num", "version"}}
