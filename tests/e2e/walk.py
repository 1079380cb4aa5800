"""A converge that is killed at one step after the other, and started again each time, until it gets to its end."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
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
        assert process.stderr is not None
        deadline = time.monotonic() + PATIENCE
        try:
            for line in process.stderr:
                self.said.append(line)
                begun = _BEGINS.match(line.rstrip("\n"))
                if (
                    begun
                    and begun["address"] not in self.killed
                    and self.wants(begun["kind"], begun["address"])
                ):
                    self.killed.append(begun["address"])
                    time.sleep(dice.uniform(0, self.reach))
                    return True
                assert time.monotonic() < deadline, "a converge took too long"
            self.status = process.wait()
            out.seek(0)
            self.out = out.read()
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stderr.close()
