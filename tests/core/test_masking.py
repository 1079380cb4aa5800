"""Masking: a secret is seen to change and never shown; everything around it stays readable."""

from __future__ import annotations

import hashlib
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gonka_state.core.masking import NO_NEWLINE, digest, mask, placeholder, reveal, secret_words, whole

SALT = "salt"
# Upper case, so that a value can never be part of a digest, and long enough not to be met by chance.
VALUE = st.text("GHJKMNPQRTVWXYZ" + "!#$%&' =:\"", min_size=8, max_size=20).map(lambda text: f"Z{text}Z")
NAME = st.text(string.ascii_lowercase + "_", min_size=1, max_size=6)
LAYOUT = st.sampled_from(
    [
        "{n}={s}",
        "export {n}={s}",
        '  "{n}": "{s}",',
        "{n}: {s}",
        "{n} {s} # note",
        "-e {n}={s} -e {m}={t}",
        "{m}={n}={s}",
    ]
)


@given(
    lines=st.lists(st.tuples(LAYOUT, NAME, VALUE, NAME, VALUE), min_size=1, max_size=5), newline=st.booleans()
)
def test_no_secret_is_ever_in_the_masked_text(
    lines: list[tuple[str, str, str, str, str]], *, newline: bool
) -> None:
    secrets: dict[str, str] = {}
    texts = []
    for number, (layout, name, value, other, another) in enumerate(lines):
        secrets |= {f"s{number}": value, f"t{number}": another}
        texts.append(layout.format(n=name, m=other, s=placeholder(f"s{number}"), t=placeholder(f"t{number}")))
    content = "\n".join(texts) + ("\n" if newline else "")
    words = secret_words(content)
    assume(words is not None)
    assert words is not None

    masked = mask(reveal(content, secrets), words, SALT)

    assert not [value for value in secrets.values() if value in masked]
    assert masked.endswith("\n")


@given(st.binary(max_size=60), st.lists(NAME, max_size=2))
def test_masking_takes_any_bytes_and_keeps_every_line(data: bytes, words: list[str]) -> None:
    text = data.decode("utf-8", "surrogateescape")
    masked = mask(text, words, SALT)

    assert masked.count("\n") == text.count("\n") + (2 if text and not text.endswith("\n") else 0)


@given(st.text(string.ascii_uppercase + " =\n", max_size=40))
def test_what_holds_no_secret_is_shown_as_it_is(text: str) -> None:
    shown = mask(text, ["word"], SALT)

    assert shown in (text, f"{text}\n{NO_NEWLINE}\n")


def test_a_change_of_a_secret_changes_its_line_only() -> None:
    content = f"# head\nKEY={placeholder('k')}\nPORT=8080\n"
    words = secret_words(content) or ()

    before, after = (mask(reveal(content, {"k": value}), words, SALT).split("\n") for value in ("one", "two"))

    assert words == ("KEY",)
    assert [left == right for left, right in zip(before, after, strict=True)] == [True, False, True, True]
    assert before[1] == f"KEY <secret {digest(SALT, b'=one')}>"


def test_a_later_word_on_the_line_hides_the_earlier_secret_too() -> None:
    masked = mask("B=first A=second\n", ["A", "B"], SALT)

    assert masked == f"B <secret {digest(SALT, b'=first A=second')}>\n"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("POSTGRES_PASSWORD=hidden", "POSTGRES_PASSWORD="),
        ('  "api_key": "hidden"', '  "api_key":'),
        ("apikey : hidden", "apikey :"),
        ("token = hidden KEY=x", "token ="),
        ("MNEMONIC='hidden'", "MNEMONIC="),
        ("Passphrase:hidden", "Passphrase:"),
    ],
)
def test_a_line_that_looks_like_a_secret_is_masked_though_nobody_declared_it(line: str, shown: str) -> None:
    masked = mask(f"{line}\n", ["KEY"], SALT)

    assert masked.startswith(f"{shown} <secret ")
    assert "hidden" not in masked


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("nothing secret\n", ()),
        (f"A={placeholder('x')}\nB={placeholder('x')}\nA={placeholder('y')}", ("A", "B")),
        (f"a.b-c: '{placeholder('x')}'", ("a.b-c",)),
        (placeholder("x"), None),
        (f"A={placeholder('x')}\n12 = {placeholder('x')}", None),
    ],
)
def test_the_words_before_secrets_are_found(content: str, words: tuple[str, ...] | None) -> None:
    assert secret_words(content) == words


def test_a_placeholder_without_a_secret_is_a_bug_and_says_so() -> None:
    with pytest.raises(KeyError, match="unknown"):
        reveal(placeholder("unknown"), {"known": "value"})


def test_an_empty_text_stays_empty() -> None:
    assert mask("", ["KEY"], SALT) == ""


@given(st.text())
def test_a_whole_text_is_told_by_size_and_salted_digest(content: str) -> None:
    data = content.encode()
    expected = hashlib.sha256(b"salt" + data).hexdigest()[:16]

    assert whole(SALT, content) == f"<{len(data)} bytes, digest {expected}>"
    assert whole("other", content) != whole(SALT, content)
