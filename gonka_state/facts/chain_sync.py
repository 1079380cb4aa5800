"""How far the own chain node is: its container, its RPC status, its peers.

Source: CometBFT, GET /status and GET /net_info (gonka-contract 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from gonka_state.core.observation import Absent, Observation, Present, Unknown
from gonka_state.facts.base import Fact, Look, pyinfra_fact, quote, split_parts
from gonka_state.facts.chain_shell import SHELL, Node, read_node

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.here import Here
    from gonka_state.resources.base import Resource
    from gonka_state.resources.chain_sync import ChainSyncResource
    from gonka_state.resources.compose_service import ComposeServiceResource

CONTAINER = "node"


class ChainSyncFact(Fact[Node]):
    """The own chain node. As a plain fact it takes `container=`."""

    section: ClassVar[str] = "chain-sync"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Two requests to the container's own address; one chain node per host."""
        container = wanted[0].name if wanted else CONTAINER
        return f"{SHELL}\nWAIT={max(look.http_timeout // 2, 1)}\nnode {quote(container)}"

    def standalone(self, **arguments: object) -> str:
        """The script for one container, by default the deployment's."""
        container = str(arguments.get("container", CONTAINER))
        return f"{SHELL}\nWAIT=5\nnode {quote(container)}"

    def parse(self, text: str) -> Node:
        """Understand the section."""
        return read_node(split_parts(text))


def observe_sync(state: Node, resource: ChainSyncResource, here: Here) -> Observation:  # noqa: ARG001 (every kind is asked alike)
    """In sync or not; a node that cannot be asked although it runs is unknown."""
    if state.absent:
        return Absent(reason=state.problem)
    if state.down or state.silent:
        return Present({"synced": False}, reason=state.problem)
    if state.problem:
        return Unknown(state.problem, hint=f"docker logs --tail 20 {resource.name}, on this host")
    return Present({"synced": state.synced}, reason="" if state.synced else state.words)


def is_chain(mine: Resource, theirs: ComposeServiceResource) -> bool:  # noqa: ARG001 (a pair of resources)
    """The services that the chain node is made of."""
    return theirs.name in {CONTAINER, "tmkms"}


FACT = ChainSyncFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("ChainSync", FACT, name)
