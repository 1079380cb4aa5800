"""Lines of variables: what is written is what a real sh reads, and what is read is what it reads."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.core.env_text import Assignment, read, written

PIECES = st.sampled_from(
    [*"aZ09_-./:@%+,=!^]#'\"\\$`;&|<>()*?[{}~ \t", "ä", "$(id)", "\\n", " #", "'a'", '"b"']
)
VALUES = st.lists(PIECES, max_size=6).map("".join)


def as_sh_reads(text: str, names: list[str]) -> list[str]:
    """What a shell that sources the text has in these variables."""
    script = text + "".join(f'\nprintf "%s\\0" "${{{name}}}"' for name in names)
    done = subprocess.run(
        ["env", "-i", "sh", "-s"], input=script.encode(), capture_output=True, check=True, timeout=30
    )
    assert not done.stderr
    return done.stdout.decode().split("\0")[:-1]


def writable(value: str) -> bool:
    try:
        written(value)
    except ValueError:
        return False
    return True


@settings(max_examples=25)
@given(st.lists(VALUES.filter(writable), min_size=1, max_size=40))
def test_what_is_written_sh_and_we_read_back(values: list[str]) -> None:
    names = [f"V{number}" for number in range(len(values))]
    text = "\n".join(f"export {name}={written(value)}" for name, value in zip(names, values, strict=True))

    assert [item.value for item in read(text)] == values
    assert as_sh_reads(text, names) == values


@settings(max_examples=25)
@given(st.lists(VALUES, min_size=1, max_size=40))
def test_what_we_read_in_a_line_sh_reads_too(raw: list[str]) -> None:
    lines = {f"V{number}": f"export V{number}={value}" for number, value in enumerate(raw)}
    plain = {
        item.name: item.value for line in lines.values() for item in read(line) if item.value is not None
    }

    assert as_sh_reads("\n".join(lines[name] for name in plain), list(plain)) == list(plain.values())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("X=a", "a"),
        ("  export\tX=a  # note", "a"),
        ("X='a b' # note", "a b"),
        ('X="it\'s"', "it's"),
        ("X=", ""),
        ("X=a#b", "a#b"),
        # Run with docker compose 5.6.1: each of these is one thing to sh and another to compose.
        ("X=a\t# note", None),
        ("X= # note", None),
        ("X='a'#b", None),
        ("X='a'b", None),
        ("X=a b", None),
        ("X=a;b", None),
        ("X=a\\b", None),
        ('X="a\\nb"', None),
        ("X=a$B", None),
        ("X=a\r", None),
        ("X='a\\'", None),
        ("X=~/a", None),
    ],
)
def test_only_what_both_readers_understand_alike_is_a_value(line: str, value: str | None) -> None:
    assert list(read(f"# head\n\n{line}\n")) == [Assignment(3, "X", value)]


@pytest.mark.parametrize("line", ["set -a", "export X", "X", "X: a", "unset X", "X =a", "1X=a", "exportX: a"])
def test_a_line_that_sets_nothing_has_no_name(line: str) -> None:
    assert list(read(line)) == [Assignment(1, "", None)]


@pytest.mark.parametrize("value", ["a\nb", "tab\t", 'it\'s "both"', "'\\", "$'", "a\\", "\0", "\x7f"])
def test_what_the_two_would_read_differently_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ValueError, match="read differently") as refused:
        written(value)

    assert value not in str(refused.value)
