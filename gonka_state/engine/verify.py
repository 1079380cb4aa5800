"""The look at contents: on request, after a host's look, with its own deadline, telling how far it is."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.core.units import human_bytes, human_duration
from gonka_state.engine.asked import facts_of
from gonka_state.engine.unreachable import words
from gonka_state.errors import FactError
from gonka_state.facts.base import PRELUDE
from gonka_state.facts.snapshot import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gonka_state.core.desired import Desired
    from gonka_state.engine.session import Session
    from gonka_state.facts.base import Verification
    from gonka_state.facts.snapshot import HostLook
    from gonka_state.kind import Kind
    from gonka_state.resources.base import Resource

TELL = 10
"""Seconds between two lines of progress."""

SLOW, FAST = 200e6, 2e9
"""Bytes a second that disks and processors of such hosts give: what to expect before the first byte."""

_BYTES = re.compile(r"(\d+) ")


@dataclass(frozen=True, slots=True)
class Verifier:
    """Adds to a look what only reading every byte can tell. `tell(host, text)` gets lines of progress.

    What a host told before in the same run is given to the next look: a file that is as it was then is not
    read again.
    """

    session: Session
    desired: Desired[Resource]
    kinds: Mapping[str, Kind[Any, Any]]
    tell: Callable[[str, str], None]
    earlier: dict[tuple[str, str], str] = field(default_factory=dict)

    def verify(self, host: str, look: HostLook) -> HostLook:
        """The look with its sections made longer; one that could not be finished makes its section unknown."""
        for fact, mine in facts_of(self.desired, self.kinds, host):
            answer = look.sections.get(fact.section)
            if answer is None or answer.unknown:
                continue
            key = (host, fact.section)
            try:
                task = fact.verification(mine, answer.text, self.earlier.get(key, ""))
            except FactError:
                continue  # said where the section is judged
            if task is not None:
                longer = self._carry_out(host, answer, task)
                self.earlier[key] = longer.text
                look = look.with_section(fact.section, longer)
        return look

    def _carry_out(self, host: str, answer: Answer, task: Verification) -> Answer:
        deadline = self.desired.run.timeouts.verify
        self.tell(host, f"reading {human_bytes(task.total)} of {task.about}{_expect(task.total)}")
        progress = _Progress(host, task.total, self.tell)
        mark = answer.text.lstrip("\n").partition(" ")[0]
        nonce = secrets.token_hex(6)
        script = (
            f"timeout -k 5 {deadline} sh -s <<'{nonce}'\nM='{mark}'\n{PRELUDE}\n{task.script}\n{nonce}\n"
            f"printf '{nonce} %s\\n' \"$?\"\n"
        )
        try:
            lines = self.session.stream(host, script, deadline, progress.add)
        except Exception as error:  # noqa: BLE001 (a dying connection raises many kinds; one host must not end the look)
            return Answer(answer.text, answer.seconds, f"contents could not be read: {words(error)}")
        seconds = progress.seconds
        if not lines or lines[-1] != f"{nonce} 0":
            why = "contents could not be read to the end: the connection was lost"
            if lines and lines[-1].startswith(nonce):
                why = f"contents could not be read in {deadline} s: raise run.timeouts.verify"
            return Answer(answer.text, answer.seconds, why)
        self.tell(host, f"read {human_bytes(progress.done)} in {human_duration(seconds)}")
        return Answer("\n".join([answer.text, *lines[:-1]]), answer.seconds + seconds)


def _expect(total: int) -> str:
    """How long it will take, where that is worth a word."""
    slow = total / SLOW
    return f": expect {human_duration(total / FAST)} to {human_duration(slow)}" if slow >= TELL else ""


class _Progress:
    def __init__(self, host: str, total: int, tell: Callable[[str, str], None]) -> None:
        self._host, self._total, self._tell = host, total, tell
        self._began = self._told = time.monotonic()
        self.done = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def add(self, line: str) -> None:
        """One line of the answer: it begins with the bytes it stands for, or is a frame."""
        match = _BYTES.match(line)
        self.done += int(match[1]) if match else 0
        now = time.monotonic()
        if now - self._told >= TELL and self.done:
            self._told = now
            rate = self.done / self.seconds
            left = human_duration(max(self._total - self.done, 0) / rate)
            said = f"{human_bytes(self.done)} of {human_bytes(self._total)} read, {human_bytes(rate)}/s, {left} left"
            self._tell(self._host, said)
