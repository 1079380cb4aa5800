"""The README shows what the demo prints."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.e2e.world import ROOT

if TYPE_CHECKING:
    from tests.e2e.world import Demo

pytestmark = [pytest.mark.lab, pytest.mark.timeout(1200)]


def masked(text: str) -> list[str]:
    """Lines without what differs from run to run.

    That is times, keys' addresses, blocks, what is known after which of two steps, the lab's own path, and how
    far models have loaded by then. Columns follow the widths of these, so blanks count once.
    """
    text = re.sub(r"\d+\.\d+ s\b", "N s", text)
    text = re.sub(r"gonka1[a-z0-9]{38}", "gonka1X", text)
    text = re.sub(r"block \d+, next PoC in \d+ blocks", "block N, next PoC in N blocks", text)
    text = re.sub(r"(known after|may follow) \S+", r"\1 X", text)
    text = re.sub(r"\S*/gonka-state/lab/", "LAB/", text)
    text = re.sub(
        r"(no model loaded, as far as it tells|\S+ loaded), .* of .* used", "MODEL, N GB used", text
    )
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def test_the_transcript_is_what_the_demo_printed(demo: Demo) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- demo: begin -->\n```\n(.*?)```\n<!-- demo: end -->", readme, re.DOTALL)
    assert block is not None
    # With --keep it ends by saying how to log in; the README shows the demo without.
    printed = demo.out.split("\n# The lab stays up")[0]

    assert masked(printed) == masked(block[1])


def test_the_demo_is_over_in_time(demo: Demo) -> None:
    # The first time it also makes the environment and the base system.
    assert demo.seconds < 720
