"""`hosts trust` and `hosts check` as far as they come without a host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]


def test_where_nobody_answers_nothing_is_pinned(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    ran = program("hosts", "trust", tiny.file, "--yes")

    assert ran.status == 1
    assert "no answer from 127.0.0.1 port 1" in ran.out
    assert ran.out.endswith("Trust: 2 unknown\n")
    assert (tmp_path / "known_hosts").read_text() == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--fingerprint", "SHA256:short"), "--fingerprint SHA256:short is not SHA256: and 43 characters"),
        (("--replace", "tiny-c"), "--replace tiny-c: no such host"),
        (("--host", "tiny-c"), "--host tiny-c: no such host"),
    ],
)
def test_words_that_mean_nothing_are_refused(
    program: Program, tiny: Tiny, words: tuple[str, ...], said: str
) -> None:
    ran = program("hosts", "trust", tiny.file, *words)

    assert ran.status == 4
    assert said in ran.err


def test_the_checklist_tells_what_this_machine_lacks(program: Program, tiny: Tiny, tmp_path: Path) -> None:
    key = tmp_path / "key"
    missing = program("hosts", "check", tiny.file, "--host", "a", "--json")
    key.write_text("secret")
    key.chmod(0o644)
    open_ = program("hosts", "check", tiny.file)

    checks = json.loads(missing.out)["clusters"][0]["hosts"]
    assert list(checks) == ["tiny-a"]
    assert [(check["name"], check["verdict"]) for check in checks["tiny-a"]["checks"]] == [
        ("connection", "unknown"),
        ("private key", "blocked"),
        ("host key", "blocked"),
    ]
    assert (missing.status, open_.status) == (1, 1)
    assert f"{key} has mode 0644: others may read it" in open_.out
    assert f"chmod 600 {key}" in open_.out
    assert "Check: 0 ok, 0 warn, 4 blocked, 2 unknown (2 hosts" in open_.out
