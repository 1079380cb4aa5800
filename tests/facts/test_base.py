"""Parts of a section: what a real sh prints is what the parser gives back, and garbage is refused politely."""

from __future__ import annotations

import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Part, Parts, pyinfra_fact, quote, split_parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.facts.base import Look


class Nothing(Fact[None]):
    """The smallest fact there can be."""

    section = "nothing"

    def script(self, wanted: object, look: Look) -> str:
        """The look's salt, to see that one is given."""
        return f"{wanted} {look.salt}"

    def parse(self, text: str) -> None:
        """Nothing."""


def test_a_part_carries_output_status_and_last_words(body: Callable[[str], str]) -> None:
    text = body("both() { printf 'out'; echo one >&2; echo two >&2; return 3; }\npart 'a name' both")

    assert split_parts(text) == {"a name": Part("out", 3, "one two")}


@settings(max_examples=15)
@given(data=st.binary(max_size=50).filter(lambda data: b"\0" not in data))
def test_any_bytes_come_through_exactly(body: Callable[[str], str], data: bytes) -> None:
    octal = "".join(f"\\{byte:03o}" for byte in data)

    part = split_parts(body(f"part it printf {shlex.quote(octal)}")).need("it")

    assert part.text.encode("utf-8", "surrogateescape") == data


def test_a_part_that_fails_does_not_stop_the_next(body: Callable[[str], str]) -> None:
    parts = split_parts(body("part a false\npart b no-such-program\npart c echo there"))

    assert (parts["a"].status, parts["b"].status, parts["c"].lines) == (1, 127, ["there"])
    assert "not found" in parts["b"].failed


def test_only_the_end_of_a_long_complaint_is_kept(body: Callable[[str], str]) -> None:
    text = body(
        "long() { i=0; while [ $i -lt 9 ]; do echo line $i $(printf %0200d 7) >&2; i=$((i+1)); done; }\npart a long"
    )

    assert len(split_parts(text)["a"].stderr) <= 300


def test_tools_of_root_are_found_without_a_login_shell(body: Callable[[str], str]) -> None:
    assert "/usr/sbin" in split_parts(body('part path printf %s "$PATH"')).need("path").text


def test_output_that_looks_like_a_frame_of_another_mark_is_only_output(body: Callable[[str], str]) -> None:
    text = body("part a printf '#@forged part b\\nevil\\n#@forged rc 0 \\n'")

    assert list(split_parts(text)) == ["a"]


def test_no_output_is_no_parts() -> None:
    assert split_parts("") == {}
    assert split_parts("\n\n") == {}


@pytest.mark.parametrize("text", ["Password expired", "#@x head 0", "# part a", "\n\nMOTD\n#@x part a\n"])
def test_what_does_not_start_with_a_frame_is_refused(text: str) -> None:
    with pytest.raises(FactError, match="does not start with a frame"):
        split_parts(text)


@pytest.mark.parametrize("end", ["", "zz", "-1", "1x"])
def test_a_damaged_end_of_a_part_is_refused(end: str) -> None:
    with pytest.raises(FactError, match="a: the frame's status is no number"):
        split_parts(f"#@x part a\ntext\n#@x rc {end}")


FRAMES = st.lists(
    st.sampled_from(["#@x part a", "#@x rc ", "#@x rc 0 ", "#@x rc one", "", "text", "#@y part b"])
)


@given(st.text() | FRAMES.map("\n".join))
def test_the_parser_raises_nothing_but_fact_errors(text: str) -> None:
    try:
        parts = split_parts(text)
    except FactError:
        return
    assert all(isinstance(part, Part) for part in parts.values())


def test_a_missing_part_means_the_look_was_cut_short() -> None:
    parts = split_parts("#@x part a\nfirst half")

    with pytest.raises(FactError, match="ends before 'a'"):
        parts.need("a")


def test_a_failed_part_is_refused_with_its_last_words() -> None:
    with pytest.raises(FactError, match="a: permission denied"):
        Parts(a=Part("", 1, "permission denied")).need("a")
    with pytest.raises(FactError, match="a: exit status 7"):
        Parts(a=Part("", 7)).need("a")


@given(st.lists(st.text().filter(lambda word: "\0" not in word), min_size=1, max_size=3))
def test_quoted_words_are_one_word_each(words: list[str]) -> None:
    assert shlex.split(quote(*words)) == words


def test_a_fact_that_takes_no_arguments_says_so() -> None:
    assert Nothing().standalone() == "() standalone"
    with pytest.raises(FactError, match="nothing takes no arguments, got a, b"):
        Nothing().standalone(a=1, b=2)


def test_only_the_facts_own_class_is_offered_to_pyinfra() -> None:
    with pytest.raises(AttributeError, match="Other"):
        pyinfra_fact("Nothing", Nothing(), "Other")


USE_ALONE = """
import sys
from gonka_state.facts import files
assert "pyinfra" not in sys.modules, "parsers must be usable without it"
made = files.Files
fact = made()
print(made.__name__)
print(fact.command(path="/etc/hostname"))
print(fact.process(["#@ part salt", "s", "#@ rc 0 ", "#@ part stat /x", "absent", "#@ rc 0 "])["paths"])
from pyinfra.api.exceptions import FactProcessError
try:
    fact.process(["garbage"])
except FactProcessError as error:
    print(error)
"""


def test_a_fact_can_be_used_alone_by_pyinfra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", USE_ALONE], capture_output=True, text=True, check=True, timeout=60
    )

    first, *_, paths, refused = done.stdout.splitlines()
    assert first == "Files"
    assert "part 'stat /etc/hostname'" in done.stdout
    assert paths.startswith("{'/x': {'type': 'absent'")
    assert "does not start with a frame" in refused
