"""Waits until the own chain node has caught up; changes nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.errors import FactError, StepError
from gonka_state.facts.base import MARK, PRELUDE, Parts, quote, split_parts
from gonka_state.facts.chain_shell import OK, SHELL, Node, answered, read_node, span
from gonka_state.operations.base import Commands, Do, Pause, Say, Step

if TYPE_CHECKING:
    from gonka_state.resources.chain_sync import ChainSyncResource

POLL, TELL = 3, 10
STALL = 600
"""Seconds without a new block after which a node that claims to have caught up is given up."""

_SCRIPT = r"""
node "$CONTAINER"
[ -z "$SEED" ] || fetch seed "${SEED%/}/status"
"""


@dataclass(slots=True)
class _Watch:
    """What was seen so far: when waiting began, the height then, and when the height last moved."""

    began: float
    first: int
    last: int
    moved: float
    told: float = 0.0

    def see(self, node: Node, now: float) -> None:
        """Note a height."""
        if node.height > self.last:
            self.last, self.moved = node.height, now
        if not self.first:
            self.first, self.began = node.height, now if node.height else self.began

    def left(self, node: Node, target: int, now: float) -> str:
        """How long it will take at the pace so far, in words; empty while nobody can tell."""
        pace = (node.height - self.first) / max(now - self.began, 1)
        if not self.first or pace <= 0 or target <= node.height:
            return ""
        return f", about {span((target - node.height) / pace)} left"


def apply(step: Step[ChainSyncResource]) -> Commands:
    """Look every few seconds, and say height, peers and the time left.

    Raises:
        StepError: not in sync within `timeouts.sync`, or it stands still.
    """
    wish = step.resource
    values = f"CONTAINER={quote(wish.name)} SEED={quote(wish.seed_rpc)} WAIT=5"
    script = f"M={MARK}x\n{PRELUDE}\n{SHELL}\n{values}\n{_SCRIPT}"
    watch: _Watch | None = None
    started = 0.0
    while True:
        result = yield Do("see how far the chain node is", script, again=True)
        now, node, parts = _understood(result.stdout)
        started = started or now
        if watch is None:
            watch = _Watch(now, node.height, node.height, now)
        watch.see(node, now)
        if node.synced:
            yield Say(f"in sync at block {node.height} after {span(now - started)}, {node.peers} peers")
            return
        _give_up(step, node, now - started, now - watch.moved)
        if now - watch.told >= TELL:
            watch.told = now
            yield Say(_words(node, _target(parts), watch, now))
        yield Pause(POLL)


def _understood(text: str) -> tuple[float, Node, Parts]:
    """The host's clock, the node, and the rest of what the script printed."""
    try:
        parts = split_parts(text)
        return float(parts.need("clock").text.strip()), read_node(parts), parts
    except (FactError, ValueError) as error:
        raise StepError(f"the chain node's state cannot be understood: {error}") from error


def _target(parts: Parts) -> int:
    """The seed's height; 0 where it is not known."""
    code, said = answered(parts.get("seed"))
    try:
        return int(said["result"]["sync_info"]["latest_block_height"]) if code == OK else 0
    except (ValueError, KeyError, TypeError):
        return 0


def _words(node: Node, target: int, watch: _Watch, now: float) -> str:
    of = f" of {target}" if target > node.height else ""
    return re.sub(r"(block \d+)", rf"\g<1>{of}", node.words, count=1) + watch.left(node, target, now)


def _give_up(step: Step[ChainSyncResource], node: Node, waited: float, still: float) -> None:
    """Fail where waiting longer makes no sense.

    Raises:
        StepError: too long, or a node that stands still though it has caught up.
    """
    hint = f"docker logs --tail 50 {step.resource.name}, on this host; seed and state sync apply on the first start only"
    if not node.catching_up and still >= STALL:
        raise StepError(f"the chain node stands still: {node.words}", hint=hint)
    if waited >= step.timeouts.sync:
        raise StepError(
            f"the chain node is not in sync after {span(waited)}: {node.words}",
            hint=f"{hint}. It goes on by itself: converge again, or raise timeouts.sync",
        )
