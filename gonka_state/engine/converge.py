"""Close the gap: run the steps of a plan, look again, and believe only what is seen."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from gonka_state.core.change import Action
from gonka_state.core.observation import Unknown
from gonka_state.core.report import Outcome, Report, Status
from gonka_state.engine.round import Round

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from gonka_state.core.address import Address
    from gonka_state.core.chain import Chain
    from gonka_state.core.change import Change
    from gonka_state.engine.compare import Compared, Comparer
    from gonka_state.engine.lock import Lock
    from gonka_state.engine.observe import Observer
    from gonka_state.engine.session import Session
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.operations.base import Operation

ROUNDS = 6
"""A converge looks at most this often plus once; each round must run at least one new step."""


@dataclass(slots=True)
class Converger:
    """Carries out one cluster's plan. `on_event(where, text)` gets a line whenever something happens.

    The kinds in `first` are looked at again before a step of any other kind runs. Without its `lock` no step runs.
    """

    session: Session
    observer: Observer
    comparer: Comparer
    operations: Mapping[str, Operation[Any]]
    on_event: Callable[[str, str], None]
    first: Collection[str] = ()
    lock: Lock | None = None
    outcomes: dict[Address, Outcome] = field(default_factory=dict)
    running: set[Address] = field(default_factory=set)

    @property
    def stopped(self) -> str:
        """Why the lock stopped this run; empty while it did not."""
        return self.lock.stopped if self.lock is not None else ""

    def locked_out(self) -> str:
        """Why nothing may run at this moment; empty while the cluster's lock is held."""
        return self.lock.lost() if self.lock is not None else ""

    def chain_now(self) -> Chain | None:
        """What the chain is doing at this moment; None where nothing depends on it."""
        return None if self.comparer.ignore_phase else self.observer.chain()

    def run(self, snapshot: Snapshot, first: Compared) -> Report:
        """Run what the plan covers, round by round.

        A round's steps are those whose difference was seen; what can only be known after them (a
        container made from a file that changes) is decided by the look that ends the round. Nothing runs
        that the first plan did not name.
        """
        started = time.monotonic()
        consented = {change.address for change in first.plan.runnable}
        current = first
        for _ in range(ROUNDS):
            ready = self._ready(current, consented)
            if not ready or self.stopped:
                break
            before = [change for change in ready if change.address.kind in self.first]
            ran = Round(self, current, before or ready).run()
            touched = {address.host for address in ran}
            again = self.observer.look([host for host in self.comparer.hosts() if host in touched])
            snapshot = snapshot.updated(again)
            current = self.comparer.compare(snapshot, seconds=time.monotonic() - started)
            self.outcomes.update(
                {a: _judge(outcome, current.changes[a], current) for a, outcome in ran.items()}
            )
        self._name_the_unreached(current, consented)
        seconds = time.monotonic() - started
        return Report(first.plan, tuple(self.outcomes.values()), current.plan, seconds, self.stopped)

    def _name_the_unreached(self, current: Compared, consented: set[Address]) -> None:
        """Steps that never became ready, because something before them failed or the lock was lost."""
        for change in current.plan.runnable:
            if change.conditional or change.address not in consented or change.address in self.outcomes:
                continue
            broken = self._broken_before(change.address)
            detail = self.stopped or (
                f"needs {broken}, which did not succeed" if broken else "what it waits for did not settle"
            )
            self.outcomes[change.address] = Outcome(change, Status.SKIPPED, detail=detail)

    def _broken_before(self, address: Address) -> Address | None:
        for edge in self.comparer.needs.get(address, ()):
            outcome = self.outcomes.get(edge.on)
            if outcome is not None and outcome.status is not Status.CHANGED:
                return edge.on
            deeper = self._broken_before(edge.on)
            if deeper is not None:
                return deeper
        return None

    def _ready(self, current: Compared, consented: set[Address]) -> list[Change]:
        """Runnable now: seen to differ, covered by the consent, not tried yet, nothing open before it."""
        open_ones = {change.address for change in current.plan.changes if change.conditional}
        ready = []
        for change in current.plan.runnable:
            waits = any(
                (edge.on in open_ones or self._half_way(edge.on, current)) and edge.counts_for(change)
                for edge in self.comparer.needs.get(change.address, ())
            )
            if waits or change.conditional:
                open_ones.add(change.address)
            elif change.address in consented and change.address not in self.outcomes:
                ready.append(change)
        return ready

    def _half_way(self, address: Address, current: Compared) -> bool:
        """Its removal takes two steps, and the second is still to come."""
        change, outcome = current.changes.get(address), self.outcomes.get(address)
        if change is None or not change.pending:
            return False
        gone = self.comparer.desired.resources[address].resource.state == "absent"
        first = gone and change.action is Action.UPDATE
        return first or (outcome is not None and outcome.status is Status.CHANGED)


def _judge(outcome: Outcome, seen: Change, current: Compared) -> Outcome:
    """What the second look makes of a step that ran."""
    if outcome.status is Status.SKIPPED:
        return outcome
    if seen.action is Action.NONE:
        noted = f"it said: {outcome.detail}" if outcome.status is Status.FAILED else outcome.detail
        return replace(outcome, status=Status.CHANGED, detail=noted, hint="")
    if outcome.status is Status.FAILED:
        return outcome
    if seen.action is Action.DELETE and outcome.change.action is Action.UPDATE:
        return replace(
            outcome, status=Status.CHANGED, detail=f"its removal comes next: {seen.held}".rstrip(": ")
        )
    observation = current.observations.get(seen.address)
    if isinstance(observation, Unknown):
        return replace(
            outcome,
            status=Status.UNSURE,
            detail=f"applied, but it could not be seen again: {observation.reason}",
            hint=observation.hint,
        )
    what = ", ".join(item.name for item in seen.attributes) or str(seen.action)
    return replace(
        outcome,
        status=Status.FAILED,
        detail=f"applied, but still differs: {what}. {seen.reason}".rstrip(". "),
    )
