"""Where traffic may come from, in one spelling: sorted CIDRs, `any`, or nothing for nobody."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import BeforeValidator, Field

_EVERYBODY = {"0.0.0.0/0", "::/0"}


def normalise_sources(value: object) -> tuple[str, ...]:
    """Read one source or several: an address, a CIDR, `any` or `nobody`.

    A single address loses its /32 or /128, host bits are cut, overlapping networks are merged, and all of
    IPv4 together with all of IPv6 is `any`.

    Raises:
        ValueError: something is neither an address nor a network nor a word.
    """
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(item, str) for item in items):
        raise ValueError("expected an address, a CIDR, any, nobody, or a list of these")
    words = {item for item in items if item != "nobody"}
    if "any" in words:
        return ("any",)
    networks = [ipaddress.ip_network(item, strict=False) for item in words]
    v4 = ipaddress.collapse_addresses(net for net in networks if isinstance(net, ipaddress.IPv4Network))
    v6 = ipaddress.collapse_addresses(net for net in networks if isinstance(net, ipaddress.IPv6Network))
    found = {*map(_spelled, v4), *map(_spelled, v6)}
    return ("any",) if found == _EVERYBODY else tuple(sorted(found))


Sources = Annotated[tuple[str, ...], Field(alias="from", strict=False), BeforeValidator(normalise_sources)]
"""A field of a resource: `from` in YAML, any spelling, normalised."""


def _spelled(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> str:
    alone = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if alone else str(network)
