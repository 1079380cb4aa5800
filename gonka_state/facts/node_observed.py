"""What an Admin API's answer says about one declared node, and which writes to it must not happen."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from gonka_state.core.diff import compare
from gonka_state.core.observation import (
    OBSERVE_AGAIN,
    Absent,
    Observation,
    Present,
    Unknown,
    Unmanaged,
    Value,
)
from gonka_state.facts.node_status import status_of, takes_part
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.facts.api_answers import AdminApi, NodesState
    from gonka_state.facts.here import Here
    from gonka_state.resources.compose_service import ComposeServiceResource

ENABLED, PERSISTED = "enabled", "persisted"
API = "api"
"""The service that answers as the Admin API."""


def behind_api(mine: NodeResource, theirs: ComposeServiceResource) -> bool:  # noqa: ARG001 (a pair of resources)
    """The service that answers as the Admin API."""
    return theirs.name == API


def attributes_of(entry: Mapping[str, Any]) -> dict[str, Value]:
    """One entry in the shape of a declared node; what the API rewrites by itself is left out."""
    node, state = entry["node"], entry.get("state")
    admin = state.get("admin_state") if isinstance(state, dict) else None
    models = node.get("models")
    return {
        "host": node.get("host"),
        "inference_port": node.get("inference_port"),
        "poc_port": node.get("poc_port"),
        "max_concurrent": node.get("max_concurrent"),
        "inference_segment": node.get("inference_segment") or "",
        "poc_segment": node.get("poc_segment") or "",
        "models": {
            name: {"args": (model.get("args") or []) if isinstance(model, dict) else []}
            for name, model in (models.items() if isinstance(models, dict) else ())
        },
        ENABLED: admin.get("enabled") if isinstance(admin, dict) else None,
    }


def observe_node(state: NodesState, resource: NodeResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """What the API has registered under this id, and whether it would still have it after its restart."""
    api = state.apis.get(resource.api)
    if api is None:
        return Unknown(f"{resource.api} was not asked", hint=OBSERVE_AGAIN)
    if api.problem:
        return _unread(api, resource.api)
    entries, kept = api.find(resource.name), api.kept(resource.name)
    details = {"version": api.version, "upserts": api.upserts, "stored": bool(kept)}
    if not entries:
        return _not_listed(resource, kept, details)
    attributes = attributes_of(entries[0])
    otherwise = _stored_otherwise(api, attributes, kept)
    said = [
        f"the API lists {resource.name} {len(entries)} times; the first is shown" if len(entries) > 1 else "",
        otherwise,
        status_of(entries[0], api.now),
    ]
    leaves = resource.state == "absent" and takes_part(entries[0])
    return Present(
        {**attributes, PERSISTED: not otherwise},
        details=details,
        reason="; ".join(filter(None, [_leaving(api) if leaves else "", *said])),
        before_removal={ENABLED: False} if leaves and attributes[ENABLED] is not False else {},
    )


def _unread(api: AdminApi, url: str) -> Unknown:
    """Why there is no list, and which step will change that."""
    said = f"the Admin API {url} {api.problem}"
    if api.silent:
        return Unknown(said, hint="is the container api running?", pending_on="compose-service")
    missing = "not installed" in api.problem
    return Unknown(
        said, hint="docker logs --tail 20 api, on this host", pending_on="package" if missing else ""
    )


def _not_listed(
    resource: NodeResource, kept: Sequence[Mapping[str, Any]], details: dict[str, Value]
) -> Observation:
    """Not served. A node that is stored all the same was passed over when the API started (gonka-contract 1.7)."""
    if not kept:
        return Absent(details=details)
    why = "its stored configuration has this node, but the API does not serve it: the API passed over it at its start"
    if resource.state == "absent":
        return Present(attributes_of(kept[0]), details=details, reason=why)
    return Absent(details=details, reason=why)


def _stored_otherwise(api: AdminApi, listed: Mapping[str, Value], kept: Sequence[Mapping[str, Any]]) -> str:
    """How the configuration that outlives a restart differs from the list; empty when it does not."""
    if api.stored is None:
        return ""
    if len(kept) != 1:
        return (
            f"stored {len(kept)} times: the API can save nothing any more"
            if kept
            else "not stored: the API forgets it at its next restart"
        )
    stored = {name: value for name, value in attributes_of(kept[0]).items() if name != ENABLED}
    differs = compare(stored, Present(listed))[1]
    words = ", ".join(f"{item.name} {item.after!r} instead of {item.before!r}" for item in differs)
    return f"stored otherwise than listed: {words}" if words else ""


def wanted_node(state: NodesState, resource: NodeResource, here: Here) -> dict[str, Value]:  # noqa: ARG001 (every kind is asked alike)
    """The declared attributes and, where the API tells what it has stored, that it is the same."""
    api = state.apis.get(resource.api)
    tells = api is not None and api.stored is not None
    return {**resource.attributes(), **({PERSISTED: True} if tells else {})}


def unmanaged_nodes(state: NodesState, declared: Sequence[NodeResource], here: Here) -> list[Unmanaged]:
    """Nodes that an API serves or has stored, and nobody declared for it."""
    ours = {(resource.api, resource.name) for resource in declared}
    return [
        Unmanaged(here.host, "node", name, _describe(api, entry))
        for url, api in sorted(state.apis.items())
        for name, entry in sorted(everything(api).items())
        if (url, name) not in ours
    ]


def stranger_nodes(state: NodesState, declared: Sequence[NodeResource], here: Here) -> list[NodeResource]:  # noqa: ARG001 (every kind is asked alike)
    """The unmanaged nodes, as nodes that shall be absent; one without a usable id stays unmanaged."""
    ours = {(resource.api, resource.name) for resource in declared}
    found = []
    for url, api in state.apis.items():
        for name, entry in everything(api).items():
            known = {key: value for key, value in attributes_of(entry).items() if key != ENABLED}
            with suppress(ValidationError):
                if (url, name) not in ours:
                    gone = {**known, "name": name, "api": url, "state": "absent"}
                    found.append(NodeResource.model_validate(gone))
    return found


def everything(api: AdminApi) -> dict[str, Mapping[str, Any]]:
    """What an API serves, and what it only has stored, by id."""
    stored = {str(node.get("id")): {"node": node} for node in api.stored or ()}
    return {**stored, **{str(entry["node"].get("id")): entry for entry in api.nodes}}


def _describe(api: AdminApi, entry: Mapping[str, Any]) -> str:
    attributes = attributes_of(entry)
    models = ", ".join(sorted(attributes["models"])) or "no model"
    status = status_of(entry, api.now) if "state" in entry else "stored only, the API does not serve it"
    return "; ".join(filter(None, [f"{attributes['host']}:{attributes['inference_port']}, {models}", status]))


def refuse_nodes(
    state: NodesState,
    declared: Mapping[Address, NodeResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> dict[Address, str]:
    """Writes that must not happen: see each reason."""
    found: dict[Address, str] = {}
    for address, resource in declared.items():
        api = state.apis.get(resource.api)
        if api is None or api.problem:
            continue
        gone = resource.state == "absent"
        why = unknown_age(api.upserts) or (_too_early(api, resource) if gone else _ungoverned(api, resource))
        if why:
            found[address] = why
    return found


def unknown_age(upserts: bool | None) -> str:  # noqa: FBT001 (a value of the look, not a switch)
    """Why nothing is written to an API whose age nobody knows; empty where it is known."""
    if upserts is not None:
        return ""
    return "nobody knows whether the Admin API is older than 0.2.4, which must be written to otherwise: it is read only"


def _ungoverned(api: AdminApi, resource: NodeResource) -> str:
    """A model that governance does not know: the API drops it in silence, or refuses (gonka-contract 1.2)."""
    entries = api.find(resource.name)
    wish = {name: value for name, value in resource.attributes().items() if name != ENABLED}
    if entries and not compare(wish, Present(attributes_of(entries[0])))[1]:
        return ""
    if api.governance is None:
        return f"the models of governance are not known (GET /v1/governance/models {api.governance_problem}): nothing is registered"
    strange = sorted(set(resource.models) - api.governance)
    if not strange:
        return ""
    there = ", ".join(sorted(api.governance))
    return f"{', '.join(strange)} is no model of this chain's governance, the API would drop it; there are: {there}"


def _leaving(api: AdminApi) -> str:
    this = f" {api.epoch}" if api.epoch is not None else ""
    return f"it takes part in epoch{this}: it is disabled first, and removed in a later one"


def _too_early(api: AdminApi, resource: NodeResource) -> str:
    """A node that takes part in an epoch is removed only in a later one than it was disabled in."""
    entry = next(iter(api.find(resource.name)), None)
    if entry is None or not takes_part(entry) or attributes_of(entry)[ENABLED] is not False:
        return ""
    since = entry["state"]["admin_state"].get("epoch")
    if api.epoch is None or not isinstance(since, int):
        return "not before the next epoch, and the current one is not known"
    if since >= api.epoch:
        return (
            f"not before the next epoch: it was disabled in epoch {since} and takes part in it until its end"
        )
    return ""
