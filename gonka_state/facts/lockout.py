"""Whether the rules that would be there in the end still let the operator in."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from gonka_state.facts.addresses import Addresses, Sources
from gonka_state.facts.rule_meaning import is_rule, keeps_out, ports
from gonka_state.resources.firewall import FirewallResource, FirewallRuleResource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.address import Address
    from gonka_state.facts.firewall import FirewallState
    from gonka_state.facts.here import Here
    from gonka_state.facts.ufw import Saved
    from gonka_state.resources.base import Resource


def refuse(state: FirewallState, declared: Mapping[Address, Resource], here: Here) -> dict[Address, str]:
    """Refuse what would keep out the SSH client of this look from a port of sshd.

    Refused are the switch itself and every rule about that port; other rules go on.
    """
    peer = _peer(here)
    if not peer or not _ends_enabled(state, here):
        return {}
    shut = [port for port in state.ssh if not _lets_in(state, here, peer, port)]
    if not shut:
        return {}
    why = (
        f"the rules would not let {here.peer}, from where this look comes, reach sshd on port {shut[0]}: "
        f"declare a firewall-rule for port {shut[0]} that lets it in"
    )
    return {address: why for address, resource in declared.items() if _concerns(resource, shut)}


def _concerns(resource: Resource, shut: list[int]) -> bool:
    if isinstance(resource, FirewallRuleResource):
        return any(_about(resource, port) for port in shut)
    return True


def _about(rule: FirewallRuleResource, port: int) -> bool:
    low, high = ports(rule.port) or (0, 65535)
    return rule.direction == "in" and rule.protocol in {"tcp", "any"} and low <= port <= high


def _ends_enabled(state: FirewallState, here: Here) -> bool:
    saved = state.settings.get("ENABLED", "").lower() == "yes"
    wishes = [one.enabled for one in here.declared if isinstance(one, FirewallResource)]
    return next((wish for wish in wishes if wish is not None), saved)


def _peer(here: Here) -> Sources:
    """The client's address; nobody where it is not known, as in a recorded look."""
    try:
        address = ipaddress.ip_address(here.peer.partition("%")[0])
    except ValueError:
        return Sources()
    return Sources.read([str(getattr(address, "ipv4_mapped", None) or address)])


def _lets_in(state: FirewallState, here: Here, peer: Sources, port: int) -> bool:
    """Whether the peer gets in when all that is declared is done.

    A rule that nobody declared counts unless a declared rule is narrower: then it will have been deleted.
    """
    rules = [one for one in here.declared if isinstance(one, FirewallRuleResource) and _about(one, port)]
    present = [one for one in rules if one.state == "present"]
    if any(keeps_out(one) and peer & Sources.read(one.sources) for one in present):
        return False
    strangers = [one for one in state.saved if _stands(one, port) and not any(is_rule(one, r) for r in rules)]
    if present and any(not keeps_out(one) for one in present):
        allowed = [Sources.read(one.sources) for one in present if not keeps_out(one)]
        return any(not peer - one for one in allowed)
    for stranger in strangers:
        if not peer - stranger.sources:
            return stranger.action not in {"deny", "reject"}
    return _default_open(state, here)


def _stands(saved: Saved, port: int) -> bool:
    if saved.direction != "in" or saved.route or saved.protocol not in {"tcp", "any"}:
        return False
    if saved.port == "any":
        return True
    named = [ports(piece) or (0, 0) for piece in saved.port.split(",")]
    return bool(Addresses.of(4, named) & Addresses.of(4, [(port, port)]))


def _default_open(state: FirewallState, here: Here) -> bool:
    wishes = [one.incoming for one in here.declared if isinstance(one, FirewallResource)]
    wish = next((one for one in wishes if one is not None), None)
    saved = "allow" if state.settings.get("DEFAULT_INPUT_POLICY") == "ACCEPT" else "deny"
    return (wish or saved) == "allow"
