"""A converge that is killed at one step after the other, and started again each time, until it gets to its end."""

from __future__ import annotations

import os
import queue
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.e2e.world import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TextIO

_BEGINS = re.compile(r"^(?P<address>\S+/(?P<kind>[a-z-]+):.+): (create|update|delete) …$")
PATIENCE = 900


@dataclass
class Walk:
    """What was killed, in order, what all runs said on standard error, and how the last run ended.

    `wants` decides by kind and address at which steps to kill; each step is killed at most once. The moment within
    the step is random, from `seed`: up to `reach` seconds after it began.
    """

    words: Sequence[str]
    wants: Callable[[str, str], bool]
    seed: int = 1
    reach: float = 0.6
    killed: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    status: int = -1
    out: str = ""

    def run(self, most: int = 200) -> int:
        """Run until a converge ends by itself; its exit status.

        Raises:
            AssertionError: it never did within `most` runs.
        """
        dice = random.Random(self.seed)  # noqa: S311 (a test's choice of moments)
        for _ in range(most):
            if not self._once(dice):
                return self.status
        raise AssertionError(f"no end after {most} runs; killed at {self.killed}")

    def _once(self, dice: random.Random) -> bool:
        """One run; True when it was killed."""
        with tempfile.TemporaryFile("w+") as out:  # a pipe that nobody empties would fill
            return self._follow(dice, out)

    def _follow(self, dice: random.Random, out: TextIO) -> bool:
        process = subprocess.Popen(
            [sys.executable, "-m", "gonka_state", "converge", *self.words, "--yes"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_pass_on, args=(process.stderr, lines))
        reader.start()
        try:
            if self._watch(lines, dice):
                return True
            self.status = process.wait()
            out.seek(0)
            self.out = out.read()
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            reader.join()
            while not lines.empty():
                self.said.append(lines.get() or "")

    def _watch(self, lines: queue.SimpleQueue[str | None], dice: random.Random) -> bool:
        """Read until a step is to be killed, and then until its moment; False when the run came to its end before.

        Another wanted step that begins meanwhile ends the wait: it may be over at the chosen moment, and never come again.
        """
        ends, chosen = time.monotonic() + PATIENCE, False
        while True:
            try:
                line = lines.get(timeout=max(ends - time.monotonic(), 0))
            except queue.Empty:
                assert chosen, "a converge took too long"
                return True
            if line is None:
                return chosen
            self.said.append(line)
            begun = _BEGINS.match(line.rstrip("\n"))
            if begun and begun["address"] not in self.killed and self.wants(begun["kind"], begun["address"]):
                self.killed.append(begun["address"])
                if chosen:
                    return True
                ends, chosen = time.monotonic() + dice.uniform(0, self.reach), True


def _pass_on(stream: TextIO | None, lines: queue.SimpleQueue[str | None]) -> None:
    assert stream is not None
    with stream:
        for line in stream:
            lines.put(line)
    lines.put(None)
