"""Kinds of what a cluster is to the chain, and of its nodes in the Admin API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import (
    chain_sync,
    membership,
    membership_observed,
    node_notes,
    node_observed,
    nodes,
    setup_report,
)
from gonka_state.kind import Kind, Need
from gonka_state.registry.programs import packaged
from gonka_state.resources.chain_sync import ChainSyncResource
from gonka_state.resources.grants import GrantsResource
from gonka_state.resources.node import NodeResource
from gonka_state.resources.registration import RegistrationResource
from gonka_state.resources.setup_report import SetupReportResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=ChainSyncResource,
        fact=chain_sync.FACT,
        observe=chain_sync.observe_sync,
        needs=(Need("compose-service", chain_sync.is_chain), Need("package", packaged("curl"))),
    ),
    Kind(
        resource=RegistrationResource,
        fact=membership.FACT,
        observe=membership_observed.observe_registration,
        wanted=membership_observed.wanted_registration,
        needs=(Need("chain-sync"), Need("warm-key"), Need("account"), Need("package", packaged("curl"))),
    ),
    Kind(
        resource=GrantsResource,
        fact=membership.FACT,
        observe=membership_observed.observe_grants,
        wanted=membership_observed.wanted_grants,
        needs=(
            Need("registration"),
            Need("chain-sync"),
            Need("warm-key", membership_observed.granted_to),
            Need("package", packaged("curl")),
        ),
    ),
    Kind(
        resource=SetupReportResource,
        fact=setup_report.FACT,
        observe=setup_report.observe_report,
        wanted=setup_report.wanted_report,
        unmanaged=setup_report.unmanaged_checks,
        needs=(
            Need("compose-service", setup_report.answers_for),
            Need("grants"),
            Need("chain-sync"),
            Need("package", packaged("curl")),
        ),
    ),
    Kind(
        resource=NodeResource,
        fact=nodes.FACT,
        observe=node_observed.observe_node,
        wanted=node_observed.wanted_node,
        unmanaged=node_observed.unmanaged_nodes,
        strangers=node_observed.stranger_nodes,
        notes=node_notes.notes,
        refuse=node_observed.refuse_nodes,
        needs=(
            Need("compose-service", node_observed.behind_api),
            Need("setup-report", setup_report.comes_before, first=True),
            Need("package", packaged("curl")),
        ),
    ),
)
