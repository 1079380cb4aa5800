"""One round of a converge: steps in lanes, each waiting for what it needs."""

from __future__ import annotations

import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore, RLock

from gonka_state.core.desired import LAUNCH
from gonka_state.core.gates import disturbs
from gonka_state.core.report import Outcome, Status
from gonka_state.engine.hands import Hands
from gonka_state.engine.retry import pauses
from gonka_state.engine.together import finish
from gonka_state.errors import GonkaStateError, StepError
from gonka_state.operations.base import LOST, TIMED_OUT, Call, Do, Pause, Result, Say, Step, carry_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.address import Address
    from gonka_state.core.change import Change
    from gonka_state.engine.compare import Compared
    from gonka_state.engine.converge import Converger
    from gonka_state.operations.base import Command


class Round:
    """Steps that run together, in lanes: one lane per host and section (or step), in order within it.

    A download does not hold up a container that does not need it, and two steps never change the same
    thing of a host at once. Lanes wait for each other's needs; every lane follows the plan's order, so they
    cannot wait in a circle.
    """

    def __init__(self, converger: Converger, current: Compared, ready: Sequence[Change]) -> None:
        self._converger = converger
        self._current = current
        self._ready = ready
        self._needs = converger.comparer.needs
        self._done = {change.address: Event() for change in ready}
        self._outcomes: dict[Address, Outcome] = {}
        self._turns: dict[tuple[str, str], RLock] = {}
        chain = current.plan.chain
        self._serving = chain is not None and chain.serving
        limits = converger.comparer.desired.run.limits(serving=self._serving)
        semaphores = {name: BoundedSemaphore(size) for name, size in limits.items()}
        # Looked up before anything runs: an unknown name must not mean no limit at all.
        self._limits = {
            change.address: semaphores[throttle] if (throttle := self._throttle(change)) else nullcontext()
            for change in ready
        }

    def run(self) -> dict[Address, Outcome]:
        """Run every step; returns once each has an outcome."""
        lanes: dict[tuple[str, str, str], list[Change]] = {}
        for change in self._ready:
            kind = self._converger.comparer.kinds[change.address.kind]
            own = change.address.name if kind.side_by_side else ""
            lanes.setdefault((change.address.host, kind.fact.section, own), []).append(change)
        # Not in pyinfra's pool: its bound could keep the very lane waiting that another waits for.
        finish([gevent.spawn(self._lane, lane) for lane in lanes.values()])
        return {change.address: self._outcomes[change.address] for change in self._ready}

    def _lane(self, changes: Sequence[Change]) -> None:
        try:
            for change in changes:
                self._outcomes[change.address] = self._one(change)
                self._done[change.address].set()
        finally:
            # Nobody waits for what a lane that broke never reached.
            for change in changes:
                self._done[change.address].set()

    def _one(self, change: Change) -> Outcome:
        broken = self._wait_for_needs(change)
        if broken is not None:
            detail = self._converger.stopped or f"needs {broken}, which did not succeed"
            return Outcome(change, Status.SKIPPED, detail=detail)
        with self._limits[change.address]:
            why = self._converger.locked_out()
            if not why and self._serving:
                why = self._must_not_now(change, self._throttle(change))
            if why:
                return Outcome(change, Status.SKIPPED, detail=why)
            return self._timed(change)

    def _throttle(self, change: Change) -> str:
        return self._converger.comparer.desired.resources[change.address].resource.throttle

    def _must_not_now(self, change: Change, throttle: str) -> str:
        """Why a step that was allowed when the round began must not run any more, on a cluster that serves.

        The phase is asked for again before each step that disturbs: a round may last for hours. And an ML node
        that did not come back stops the next ones: never two at once.
        """
        outcomes = {**self._converger.outcomes, **self._outcomes}
        for address, outcome in outcomes.items():
            resource = self._converger.comparer.desired.resources[address].resource
            if throttle == LAUNCH and resource.throttle == LAUNCH and outcome.status is not Status.CHANGED:
                return f"{address} did not come back: one ML node at a time"
        chain = self._converger.chain_now() if disturbs(change) else None
        return f"not now: {chain.why}" if chain is not None and chain.holds else ""

    def _timed(self, change: Change) -> Outcome:
        started = time.monotonic()
        say = self._converger.on_event
        say(str(change.address), f"{change.action} …")
        failure: list[GonkaStateError] = []
        self._converger.running.add(change.address)
        self._attempt(change, failure)
        self._converger.running.discard(change.address)
        seconds = time.monotonic() - started
        if failure:
            say(str(change.address), f"failed, {seconds:.1f} s")
            return Outcome(change, Status.FAILED, seconds, failure[0].message, failure[0].hint)
        say(str(change.address), f"done, {seconds:.1f} s")
        return Outcome(change, Status.CHANGED, seconds)

    def _wait_for_needs(self, change: Change) -> Address | None:
        for edge in self._needs.get(change.address, ()):
            if not edge.counts_for(change):
                continue
            if edge.on in self._done:
                self._done[edge.on].wait()
                outcome = self._outcomes.get(edge.on)
                if outcome is None or outcome.status is not Status.CHANGED:
                    return edge.on
            earlier = self._converger.outcomes.get(edge.on)
            if earlier is not None and earlier.status is not Status.CHANGED:
                return edge.on
        return None

    def _attempt(self, change: Change, failure: list[GonkaStateError]) -> None:
        try:
            self._drive(change)
        except GonkaStateError as error:
            failure.append(error)
        except Exception as error:  # noqa: BLE001 (a bug in one operation must not stop the other hosts)
            said = f"{type(error).__name__}: {error}"[:300]
            failure.append(
                StepError(
                    f"a bug in gonka-state: {said}", hint="please report it with the command and -v output"
                )
            )

    def _drive(self, change: Change) -> None:
        address = change.address
        desired = self._converger.comparer.desired
        step = Step(
            change,
            desired.resources[address].resource,
            self._current.observations[address],
            self._converger.comparer.here(address.host),
            desired.run.timeouts,
        )
        commands = self._converger.operations[address.kind](step)
        carry_on(commands, lambda command: self._execute(address, command))

    def _execute(self, address: Address, command: Command) -> Result:
        match command:
            case Do():
                return self._do(address, command)
            case Call():
                self._need_the_lock()
                Hands(self._converger.session).call(address.host, command)
            case Pause():
                gevent.sleep(command.seconds)
            case Say():
                self._converger.on_event(str(address), command.text)
        return Result(0)

    def _do(self, address: Address, command: Do) -> Result:
        session = self._converger.session
        result = Result(LOST)
        for wait in pauses(session.run.retries if command.again else 0):
            gevent.sleep(wait)
            self._need_the_lock()
            result = self._take_turn(address.host, command)
            if result.status == LOST:
                session.reconnect(address.host)
            if result.status == 0:
                break
        if command.check and result.status != 0:
            raise _failed(command, result)
        return result

    def _need_the_lock(self) -> None:
        why = self._converger.locked_out()
        if why:
            raise StepError(
                f"stopped half-way: {why}", hint="run converge again: it continues from what is true"
            )

    def _take_turn(self, host: str, command: Do) -> Result:
        hands = Hands(self._converger.session)
        if not command.turn:
            return hands.do(host, command)
        with self._turns.setdefault((host, command.turn), RLock()):
            return hands.do(host, command)


def _failed(command: Do, result: Result) -> StepError:
    if result.status == LOST:
        return StepError(
            f"{command.about}: {result.stderr}; whether it took effect is decided by the next look",
            hint="run converge again: it continues from what is true",
        )
    if result.status in TIMED_OUT:
        return StepError(
            f"{command.about}: not finished within {command.deadline} s and stopped. {result.words}".strip()
        )
    return StepError(f"{command.about}: {result.words or f'exit status {result.status}'}")
