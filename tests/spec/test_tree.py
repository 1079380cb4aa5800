"""YAML 1.2 as it is, places of everything, and no input that does harm."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.desired import Source
from gonka_state.spec.problems import Problems
from gonka_state.spec.tree import Node, parse, read, resolve

if TYPE_CHECKING:
    from pathlib import Path


def good(text: str) -> Node:
    problems = Problems()
    node = parse(text, "f.yaml", problems)
    assert not problems, problems.rendered()
    assert node is not None
    return node


def bad(text: str) -> list[str]:
    problems = Problems()
    parse(text, "f.yaml", problems)
    return problems.rendered()


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("0755", 755), ("0o755", 493), ("0x1F", 31), ("1_000", "1_000"), ("12:30", "12:30"), ("3.10", 3.1),
        ("1e3", 1000.0), (".inf", float("inf")), ("2026-01-01", "2026-01-01"), ("28.4.0", "28.4.0"), ("-", "-"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(raw: str, value: Any) -> None:  # noqa: ANN401
    assert resolve(raw) == value
    assert type(resolve(raw)) is type(value)


def test_quoted_scalars_are_text() -> None:
    assert good("a: \"3.10\"\nb: '~'\nc: |\n  1\n").plain() == {"a": "3.10", "b": "~", "c": "1\n"}


def test_a_directive_changes_nothing() -> None:
    assert good("%YAML 1.1\n---\na: yes\n").plain() == {"a": "yes"}


def test_keys_and_values_know_their_places() -> None:
    node = good("a:\n  - x\n  - {b: y}\n").deepest(["a", 1, "b"])
    assert (node.key, node.source) == (Source("f.yaml", 3, 6), Source("f.yaml", 3, 9))


def test_aliases_stand_for_their_value() -> None:
    assert good("a: &x {b: 1}\nc: *x\n").plain() == {"a": {"b": 1}, "c": {"b": 1}}


def test_an_alias_bomb_is_bounded() -> None:
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "too many values" in bad("\n".join(["l0: &l0 [x]", *levels]))[0]


@pytest.mark.parametrize("text", ["a: &a [*a]", "&a {b: *a}", "[" * 1500, "{a: " * 1500, "- " * 1500])
def test_endless_and_deep_nesting_is_refused(text: str) -> None:
    assert bad(text)


def test_several_documents_are_refused() -> None:
    assert "f.yaml:3:1: not YAML" in bad("a: 1\n---\n---\nb: 2\n")[0] or bad("a: 1\n---\nb: 2\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: \xff\n", "f:1:1: is not UTF-8: byte 0xff"),
        (b"a: 1\nb: \x07\n", "f:2:4: a control character is not allowed in YAML"),
        (b"", "f: is empty"),
        (b"# only a comment\n", "f: is empty"),
        (b"a: 1\n" * 2**18, "f: is larger than 1 MiB; that is no cluster file"),
    ],
)
def test_what_is_no_text_is_refused(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(data)
    problems = Problems()
    assert read(tmp_path / "f", "f", problems) is None
    assert problems.rendered()[0].splitlines()[0] == message


def test_a_byte_order_mark_and_dos_lines_are_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\xef\xbb\xbfa: 1\r\nb: [x,\r\n y]\r\n")
    node = read(tmp_path / "f", "f", Problems())
    assert node is not None
    assert node.plain() == {"a": 1, "b": ["x", "y"]}


@pytest.mark.parametrize("path", ["missing", ".", "no/way", "x" * 5000, "a\0b"])
def test_a_path_that_cannot_be_read_is_a_problem(path: str, tmp_path: Path) -> None:
    problems = Problems()
    assert read(tmp_path / path, path, problems) is None
    assert problems


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("a: 1")
    (tmp_path / "f").chmod(0)
    problems = Problems()
    read(tmp_path / "f", "f", problems)
    assert problems.rendered() == ["f: cannot be read: Permission denied"]


@given(
    st.text(alphabet=st.characters(codec="utf-8"), max_size=60)
    | st.text(alphabet="{}[]:,-&*a!|>'\"\n %#?", max_size=40)
)
def test_any_text_is_read_or_refused(text: str) -> None:
    problems = Problems()
    node = parse(text, "f.yaml", problems)
    assert node is not None or problems
    if node is not None:
        node.plain()
