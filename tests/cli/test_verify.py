"""`verify` as far as it comes without a host."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


def test_where_nobody_answers_every_host_is_one_unknown_check(
    program: Program, tiny: Tiny, tmp_path: Path
) -> None:
    junit = tmp_path / "verify.xml"

    ran = program("verify", tiny.file, "--junit", str(junit))

    assert ran.status == 1
    assert ran.out.count("unknown  connection") == 2
    assert "Verify: 0 ok, 0 warn, 0 failed, 2 unknown (2 hosts" in ran.out.splitlines()[-1]
    assert [case.find("error") is not None for case in ET.parse(junit).getroot()[0]] == [True, True]  # noqa: S314  (our own)


def test_its_document_has_a_format_of_its_own(program: Program, tiny: Tiny) -> None:
    document = json.loads(program("verify", tiny.file, "--json", "--performance").out)

    assert (document["format"], document["exit_status"]) == ("gonka-state/verify", 1)
    assert document["clusters"][0]["summary"] == {"ok": 0, "warn": 0, "failed": 0, "unknown": 2}


def test_a_file_that_cannot_be_written_is_said(program: Program, tiny: Tiny) -> None:
    ran = program("verify", tiny.file, "--junit", "/nonexistent/verify.xml")

    assert ran.status == 1
    assert "Verify: " in ran.out
    assert "/nonexistent/verify.xml cannot be written" in ran.err
