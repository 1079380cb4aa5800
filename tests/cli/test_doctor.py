"""`doctor` as far as it comes without a host."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

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


@pytest.mark.parametrize("word", ["b", "tiny-b"])
def test_a_word_that_is_no_file_is_a_host(program: Program, tiny: Tiny, word: str) -> None:
    ran = program("doctor", word, tiny.file)

    assert ran.status == 1
    assert "(1 host" in ran.out.splitlines()[-1]
    assert "tiny-b" in ran.out
    assert "tiny-a" not in ran.out


def test_a_host_alone_is_looked_for_in_the_directory_of_wishes(
    cli: Program, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tiny.root / "here" / "desired").mkdir(parents=True)
    monkeypatch.chdir(tiny.root / "here")
    (tiny.root / "tiny.yaml").rename("desired/tiny.yaml")

    assert "(1 host" in cli("doctor", "b").out.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("tiny-c",), "error: tiny-c: no such file, and no such host; did you mean tiny-b?\n"),
        (("b", "zzz"), "error: zzz: no such file, and no such host; there are: a, b, tiny-a, tiny-b\n"),
        (("cluster2.yaml",), "cluster2.yaml: cannot be read"),
        (("sub/b",), "sub/b: cannot be read"),
    ],
)
def test_a_word_that_is_neither_file_nor_host_is_refused(
    program: Program, tiny: Tiny, words: tuple[str, ...], said: str
) -> None:
    ran = program("doctor", *words, tiny.file)

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err


def test_a_file_that_is_called_like_a_host_is_a_file(
    cli: Program, tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny.root)
    (tiny.root / "tiny.yaml").rename("b")

    assert "(2 hosts" in cli("doctor", "b").out.splitlines()[-1]
