"""Running a section as a host would: in a real `sh`, with the prelude in front."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.facts.base import MARK, PRELUDE, Fact, Look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gonka_state.resources.base import Resource


def run_body(body: str) -> str:
    """What a section's body prints, decoded as the snapshot decodes it."""
    script = f"M={MARK}x\n{PRELUDE}\n{body}\n".encode("utf-8", "surrogateescape")
    done = subprocess.run(["sh", "-s"], input=script, stdout=subprocess.PIPE, check=False, timeout=30)
    return done.stdout.decode("utf-8", "surrogateescape")


@pytest.fixture
def body() -> Callable[[str], str]:
    """Run the body of a section."""
    return run_body


@pytest.fixture
def section() -> Callable[[Fact[Any], Sequence[Resource]], str]:
    """Run the section of a fact, as asked by these resources."""
    return lambda fact, wanted: run_body(fact.script(wanted, Look(salt="salt")))
