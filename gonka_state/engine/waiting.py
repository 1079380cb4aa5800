"""When a cleanup has to wait: an epoch's reward is lost to a cluster that stops before it is claimed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from gonka_state.core.change import Action, Change
from gonka_state.core.units import show_moment
from gonka_state.facts import participation
from gonka_state.facts.node_observed import API

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from gonka_state.core.address import Address
    from gonka_state.core.desired import Desired
    from gonka_state.facts.participation import Participation
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource

LOST_REWARD = "lost-reward"
"""What `--allow` must name before a cluster stops that takes part in an epoch, or has a reward to claim."""

_GIVE_UP = f"who gives the reward up: --allow {LOST_REWARD}"
_CLAIM = (
    "a reward that the API does not claim by itself is claimed on the network host with",
    "curl -X POST http://127.0.0.1:9200/admin/v1/claim-reward/recover -H 'Content-Type: application/json' -d '{\"force_claim\": true}'",
)
_BLOCK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Waiting:
    """Holds everything but nodes back while the cluster takes part in an epoch, or has a reward to claim."""

    desired: Desired[Resource]
    allowed: Collection[str] = ()

    def amend(self, snapshot: Snapshot, changes: Mapping[Address, Change]) -> Mapping[Address, Change]:
        """The changes: held where it is too early, nodes done with where their API is gone."""
        found = {**changes, **_without_api(changes)}
        source = self.desired.chain
        if source is None or LOST_REWARD in self.allowed:
            return found
        part = participation.read(snapshot.hosts.get(source.host))
        why = too_early(part, datetime.fromisoformat(snapshot.taken).timestamp())
        held = {
            address: replace(change, held=why)
            for address, change in found.items()
            if why and address.kind != "node" and change.pending and not change.held
        }
        first = next((address for address in held if address.name == API), next(iter(held), None))
        if first is not None:
            held[first] = replace(held[first], hint=self._hint(part))
        return {**found, **held}

    def _hint(self, part: Participation) -> str:
        ours = {address.name for address in self.desired.resources if address.kind == "node"}
        strangers = ", ".join(sorted(part.nodes - ours))
        alone = (
            f"nobody declared {strangers}, so nobody disables what takes part: declare it"
            if strangers
            else ""
        )
        return "\n".join(filter(None, [alone, *(_CLAIM if not part.claimed else ()), _GIVE_UP]))


def _without_api(changes: Mapping[Address, Change]) -> dict[Address, Change]:
    """Nobody can be asked about nodes whose API has no container any more: nobody serves them either."""
    away = {
        address.host
        for address, change in changes.items()
        if (address.kind, address.name) == ("compose-service", API) and change.action is Action.NONE
    }
    return {
        address: replace(change, action=Action.NONE, reason="", hint="")
        for address, change in changes.items()
        if address.kind == "node" and address.host in away and change.action is Action.UNKNOWN
    }


def too_early(part: Participation, now: float) -> str:
    """Why a cluster must not stop yet, and when to run this again; empty where nothing would be lost."""
    if part.problem:
        return f"nobody knows whether a reward would be lost: {part.problem}"
    if part.nodes:
        return (
            f"takes part in epoch {part.epoch} until block {part.ends}, and its reward is claimed after block"
            f" {part.claims_next}: run this again then, {_about_when(part, part.claims_next, now)}"
        )
    if part.claimed:
        return ""
    waiting = f"the reward of epoch {part.epoch - 1} is not claimed"
    if part.height <= part.claims:
        when = _about_when(part, part.claims, now)
        return f"{waiting} before block {part.claims}: run this again then, {when}"
    return f"{waiting} although the API should have done it after block {part.claims}"


def _about_when(part: Participation, block: int, now: float) -> str:
    return f"about {show_moment(now + (block - part.height) * _BLOCK_SECONDS)}"
