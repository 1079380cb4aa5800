"""The words for what a cluster is to the chain: the seed node, and the way from a synced node to a serving one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gonka_state.spec.vocabulary import Positive, Word, Words

Level = Literal["block", "warn"]


class Seed(Words):
    """The node that a cluster joins through, and that tells the truth about it while its own node does not."""

    api_url: str
    rpc_url: str
    p2p_url: str


class ChainSync(Words):
    """The own chain node has to be in sync."""

    container: Word = "node"


class Registration(Words):
    """The account has to be registered, with `url` (by default port 8000 of `public_host`)."""

    url: str | None = None
    consensus_key: str | None = None


class Grants(Words):
    """What the warm key has to be permitted: the message types of a `release`, or `messages` themselves."""

    release: Literal["0.2.0", "0.2.13"] = "0.2.13"
    messages: Annotated[list[str], Field(min_length=1)] | None = None
    renew_days: Positive = 30
    fee_allowance: bool = True


class SetupReport(Words):
    """Checks of the API's setup report by id, and of every declared ML node of the cluster."""

    checks: dict[Word, Level] = Field(default_factory=dict)
    nodes: Level | None = None
