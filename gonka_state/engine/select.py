"""Which resources `--host`, `--kind` and `--only` mean. A selector that means nothing is an error."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


def select(
    desired: Desired[Resource],
    *,
    hosts: Collection[str],
    kinds: Collection[str],
    phases: Collection[int] = (),
) -> frozenset[Address] | None:
    """Addresses on, or about, these hosts, of these kinds and plan phases; None when nothing was selected.

    A node lives on the network host and is about the host it runs on: `--host ml-03` includes it.
    A host may be named without its cluster's prefix when that is enough to tell it.
    """
    if not hosts and not kinds and not phases:
        return None
    names = {full_name(desired, host) for host in hosts}
    return frozenset(
        address
        for address, declared in desired.resources.items()
        if (not names or address.host in names or declared.resource.subject in names)
        and (not kinds or address.kind in kinds)
        and (not phases or declared.resource.in_phase in phases)
    )


def full_name(desired: Desired[Resource], host: str) -> str:
    """A host's name, given with or without its cluster's prefix."""
    if host in desired.hosts:
        return host
    return next((name for name in desired.hosts if name == f"{desired.cluster}-{host}"), host)


def check_selectors(
    clusters: Sequence[Desired[Resource]],
    *,
    hosts: Collection[str],
    kinds: Collection[str],
    known_kinds: Collection[str],
    phases: Collection[int] = (),
) -> None:
    """Refuse selectors that match nothing anywhere.

    Raises:
        InputError: with the nearest valid name for each.
    """
    problems = [f"--host {host}: no such host{near}" for host, near in no_hosts(clusters, hosts).items()]
    problems += [
        f"--kind {kind}: no such kind{_nearest(kind, known_kinds)}"
        for kind in kinds
        if kind not in known_kinds
    ]
    if not problems and (hosts or kinds or phases):
        matched = [select(desired, hosts=hosts, kinds=kinds, phases=phases) for desired in clusters]
        if not any(matched):
            problems.append("--host, --kind and --only together match no declared resource")
    if problems:
        raise InputError(problems)


def no_hosts(clusters: Sequence[Desired[Resource]], words: Collection[str]) -> dict[str, str]:
    """Those of the words that name no host of any cluster, each with what may be meant instead."""
    names = {name for desired in clusters for name in desired.hosts}
    names |= {name.removeprefix(f"{desired.cluster}-") for desired in clusters for name in desired.hosts}
    return {word: _nearest(word, names) for word in words if word not in names}


def _nearest(word: str, valid: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(valid), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are: {', '.join(sorted(valid))}"
