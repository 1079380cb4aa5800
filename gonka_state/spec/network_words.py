"""The words for what a cluster is to the chain: the seed node it joins through."""

from __future__ import annotations

from gonka_state.spec.vocabulary import Words


class Seed(Words):
    """The node that a cluster joins through, and that tells the truth about it while its own node does not."""

    api_url: str
    rpc_url: str
    p2p_url: str
