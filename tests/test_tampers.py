"""No kind goes untested on real hosts: each has a hand that changes it there."""

from __future__ import annotations

from pathlib import Path

from gonka_state.registry import KINDS
from tests.e2e.tampers import CLOSED, ELSEWHERE, LEFT

ROOT = Path(__file__).parents[1]


def test_every_kind_is_tampered_with() -> None:
    tampered = set[str]().union(*(tamper.kinds for tamper in [*CLOSED, *LEFT]))

    assert tampered | ELSEWHERE.keys() == KINDS.keys()
    for test in ELSEWHERE.values():
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text()
