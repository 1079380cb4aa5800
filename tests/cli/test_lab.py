"""`lab` as far as it comes without booting anything: what a lab cannot be of is refused first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("user: other", "one login user for all its hosts, and these are 2: other, root"),
        ("port: 2222", "one SSH port for all its hosts, and these are 2: "),
        ("key: another", "one key to log in with for all its hosts, and these are 2: "),
        ("proxy_jump: tiny-a", "one way in for all its hosts, and these are 2: direct, direct via tiny-a"),
    ],
)
def test_hosts_that_are_reached_differently_are_no_lab(
    program: Program, tiny: Tiny, word: str, said: str
) -> None:
    text = Path(tiny.file).read_text(encoding="utf-8")
    tiny.write(text.replace("    address: 127.0.0.2\n", f"    address: 127.0.0.2\n    {word}\n"))

    ran = program("lab", "up", tiny.file)

    assert ran.status == 4
    assert f"a lab has {said}" in ran.err
