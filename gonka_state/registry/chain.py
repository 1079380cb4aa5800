"""Kinds of what a cluster is to the chain, and of its nodes in the Admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import node_notes, node_observed, nodes
from gonka_state.kind import Kind, Need
from gonka_state.registry.programs import packaged
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=NodeResource,
        fact=nodes.FACT,
        observe=node_observed.observe_node,
        wanted=node_observed.wanted_node,
        unmanaged=node_observed.unmanaged_nodes,
        strangers=node_observed.stranger_nodes,
        notes=node_notes.notes,
        refuse=node_observed.refuse_nodes,
        needs=(Need("compose-service", node_observed.behind_api), Need("package", packaged("curl"))),
    ),
)
