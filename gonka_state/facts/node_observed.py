"""What an Admin API's answer says about one declared node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.observation import Absent, Observation, Present, Unknown, Unmanaged, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.address import Address
    from gonka_state.facts.here import Here
    from gonka_state.facts.nodes import NodesState
    from gonka_state.resources.compose_service import ComposeServiceResource
    from gonka_state.resources.node import NodeResource


def behind_api(mine: NodeResource, theirs: ComposeServiceResource) -> bool:  # noqa: ARG001 (a pair of resources)
    """The service that answers as the Admin API."""
    return theirs.name == "api"


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
        "enabled": admin.get("enabled") if isinstance(admin, dict) else None,
    }


def observe_node(state: NodesState, resource: NodeResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """What the API has registered under this id."""
    api = state.apis.get(resource.api)
    if api is None:
        return Unknown(f"{resource.api} was not asked", hint="take a new snapshot: gonka-state observe")
    if api.problem:
        return Unknown(
            f"the Admin API {resource.api} {api.problem}",
            hint="docker logs --tail 20 api, on this host"
            if not api.silent
            else "is the container api running?",
            pending_on="compose-service"
            if api.silent
            else "package"
            if "not installed" in api.problem
            else "",
        )
    details = {"version": api.version, "writable": api.writable}
    entries = api.find(resource.name)
    if not entries:
        return Absent(details=details)
    twice = (
        f"the API lists {resource.name} {len(entries)} times; the first is shown" if len(entries) > 1 else ""
    )
    return Present(attributes_of(entries[0]), details=details, reason=twice)


def unmanaged_nodes(state: NodesState, declared: Sequence[NodeResource], here: Here) -> list[Unmanaged]:
    """Nodes that an API knows and nobody declared for it."""
    ours = {(resource.api, resource.name) for resource in declared}
    found = {
        (url, str(entry["node"].get("id"))): entry for url, api in state.apis.items() for entry in api.nodes
    }
    return [
        Unmanaged(here.host, "node", name, _describe(attributes_of(entry)))
        for (url, name), entry in sorted(found.items())
        if (url, name) not in ours
    ]


def _describe(attributes: Mapping[str, Value]) -> str:
    models = ", ".join(sorted(attributes["models"])) or "no model"
    return f"{attributes['host']}:{attributes['inference_port']}, {models}"


def refuse_nodes(
    state: NodesState,
    declared: Mapping[Address, NodeResource],
    here: Here,  # noqa: ARG001 (every kind is asked alike)
) -> dict[Address, str]:
    """Every write to an API that is too old for one, or whose age nobody knows."""
    found: dict[Address, str] = {}
    for address, resource in declared.items():
        api = state.apis.get(resource.api)
        if api is not None and not api.problem and not api.writable:
            found[address] = too_old(api.version, api.writable)
    return found


def too_old(version: str, writable: bool | None) -> str:  # noqa: FBT001 (a value of the look, not a switch)
    """Why nothing is written to this API."""
    if writable is None:
        return (
            f"the Admin API's version {version!r} is not known to be 0.2.4 or later: it is read, not written"
        )
    return f"the Admin API {version or 'of this host'} is older than 0.2.4: it is read, not written"
