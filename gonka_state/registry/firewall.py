"""Kinds of who may reach a host."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.facts import container_port, exposure, firewall, firewall_rule, firewall_ufw, lockout
from gonka_state.kind import Kind, Need
from gonka_state.registry.programs import packaged
from gonka_state.resources.exposure import ExposureResource
from gonka_state.resources.firewall import ContainerPortResource, FirewallResource, FirewallRuleResource

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS: Sequence[Kind[Any, Any]] = (
    Kind(
        resource=FirewallRuleResource,
        fact=firewall.FACT,
        observe=firewall_rule.observe,
        unmanaged=firewall_rule.unmanaged,
        strangers=firewall_rule.strangers,
        refuse=lockout.refuse,
        needs=(Need("package", packaged("ufw", "iptables")),),
    ),
    Kind(
        resource=FirewallResource,
        fact=firewall.FACT,
        observe=firewall_ufw.observe,
        refuse=lockout.refuse,
        needs=(Need("firewall-rule"), Need("package", packaged("ufw", "iptables"))),
    ),
    Kind(
        resource=ContainerPortResource,
        fact=firewall.FACT,
        observe=container_port.observe,
        wanted=container_port.wanted,
        unmanaged=container_port.unmanaged,
        needs=(Need("package", packaged("ufw", "iptables")),),
    ),
    Kind(
        resource=ExposureResource,
        fact=exposure.FACT,
        observe=exposure.observe_exposure,
        wanted=exposure.wanted_exposure,
        needs=(
            Need("container-port", lambda mine, theirs: mine.port == theirs.port),
            Need("firewall-rule"),
            Need("firewall"),
        ),
    ),
)
