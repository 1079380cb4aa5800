"""The own chain node has caught up with the chain: a gate before keys, registration and everything after."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from gonka_state.resources.base import Attribute, Resource


class ChainSyncResource(Resource):
    """`name` is the container of the chain node.

    In sync means: `catching_up` is false, the height is above 0, and the newest block is younger than 60 s
    (gonka-contract 3). `seed_rpc` is only asked for its height while a step waits; empty for none.
    """

    kind: ClassVar[str] = "chain-sync"
    plan_phase: ClassVar[int] = 3

    synced: Annotated[Literal[True], Attribute()] = True
    seed_rpc: str = ""
