"""Registered nodes in the words of a cluster file: with their host where these can say it, else raw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts.node_observed import attributes_of
from gonka_state.spec.checks import default_id

if TYPE_CHECKING:
    from gonka_state.engine.adopted import Adopted

_PLAIN = {"max_concurrent": 500, "inference_segment": "", "poc_segment": "", "enabled": None}


def register(made: Adopted, network: str) -> None:
    """Every node of the Admin API that lives on one of the hosts; others are left unmanaged."""
    entries = [entry for api in made.found[network].apis.values() for entry in api.nodes]
    ids = [str(entry["node"].get("id")) for entry in entries]
    names = {one.service for one in made.found[network].containers}
    places = {address: name for name, address in made.addresses.items()} | dict.fromkeys(names, network)
    for label, entry in zip(ids, entries, strict=True):
        values = {
            name: value for name, value in attributes_of(entry).items() if value != _PLAIN.get(name, object())
        }
        host = places.get(str(values.get("host")))
        if host is None or ids.count(label) > 1:
            why = "the API lists it twice" if host else f"its host {values.get('host')} is none of these"
            made.notes.append(f"{network}: node {label} is left unmanaged: {why}")
        elif not _said(made, host, label, dict(values)):
            raw = {"kind": "node", "name": label, **values, "about": host}
            made.hosts[network].setdefault("resources", []).append(raw)


def _said(made: Adopted, host: str, label: str, values: dict[str, Any]) -> bool:
    """Say it under its host, where the node serves one model that is whole there, with the model's args."""
    words, models = made.hosts[host], values.pop("models")
    model = next(iter(models), "")
    known = made.words.get("models", {}).get(model)
    if len(models) != 1 or "node" in words or known is None or model not in words.get("cache", ()):
        return False
    args = models[model]["args"]
    if known.setdefault("args", args) != args:
        return False
    words["cache"].remove(model)
    if not words["cache"]:
        del words["cache"]
    if label == default_id(host, words["role"]):
        label = ""
    if values["host"] == words["address"]:
        del values["host"]
    words |= {"model": model, "node": ({"id": label} if label else {}) | values}
    return True
