"""What is to be run and how often, before anybody asks by whom."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from gonka_state.core import xdg
from gonka_state.core.units import DAY, HOUR, MINUTE
from gonka_state.errors import InputError

DEADLINE = 600
"""Seconds after which a run is ended: a look at a slow host and a second one take less."""


@dataclass(frozen=True, slots=True)
class Job:
    """A command, in words, that is run `every` so many seconds: whole minutes of an hour, or hours of a day."""

    command: tuple[str, ...]
    every: int

    @property
    def jitter(self) -> int:
        """Seconds by which a run may start later, so that not everybody asks at the same moment."""
        return min(self.every // 10, MINUTE)

    @property
    def minutes(self) -> int:
        """Minutes between two runs; 0 where these are hours."""
        return self.every // MINUTE if self.every < HOUR else 0

    @property
    def hours(self) -> int:
        """Hours between two runs; 0 where these are minutes."""
        return self.every // HOUR


def check_every(every: int, text: str) -> None:
    """Refuse what neither cron nor a calendar can say.

    Raises:
        InputError: it divides neither an hour nor a day.
    """
    whole = every < HOUR and every % MINUTE == 0 and HOUR % max(every, 1) == 0
    whole = whole or (every >= HOUR and every % HOUR == 0 and DAY % every == 0)
    if every < MINUTE or not whole:
        raise InputError(
            [f"--every {text} divides neither an hour nor a day"],
            hint="for example 1m, 5m, 10m, 15m, 30m, 1h, 6h or 24h",
        )


def program() -> tuple[str, ...]:
    """How this program is started from anywhere and without a PATH."""
    script = Path(sys.executable).with_name("gonka-state")
    return (str(script),) if script.exists() else (sys.executable, "-m", "gonka_state")


def ping_file() -> Path:
    """Where the URL is kept that is called after each run."""
    return xdg.state_home() / "gonka-state" / "ping-url"


def lock_file() -> Path:
    """What keeps two runs by cron apart."""
    return xdg.state_home() / "gonka-state" / "schedule.lock"
