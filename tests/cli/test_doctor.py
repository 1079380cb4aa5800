"""`doctor` as far as it comes without a host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


def test_where_nobody_answers_the_connection_is_what_hurts(program: Program, tiny: Tiny) -> None:
    ran = program("doctor", tiny.file)

    assert ran.status == 1
    assert ran.out.count("found    connection") == 2
    assert ran.out.count("ssh -v -i ") == 2
    assert "Doctor: 2 found, 0 unknown, 0 clear (2 hosts" in ran.out.splitlines()[-1]


def test_its_document_has_a_format_of_its_own(program: Program, tiny: Tiny) -> None:
    document = json.loads(program("doctor", tiny.file, "--json").out)

    assert (document["format"], document["exit_status"]) == ("gonka-state/doctor", 1)
    assert document["clusters"][0]["summary"] == {"found": 2, "unknown": 0, "clear": 0}


def test_a_host_that_is_none_is_refused_before_anything_is_asked(program: Program, tiny: Tiny) -> None:
    ran = program("doctor", tiny.file, "--host", "nobody")

    assert (ran.status, ran.out) == (4, "")
    assert "no such host" in ran.err
