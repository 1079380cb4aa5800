"""iptables-save is read without ever taking two rules for one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts.iptables import Rule, parse

WORDS = st.text(
    st.characters(exclude_categories=["C", "Z"], exclude_characters="\x1f"), min_size=1, max_size=12
)


def rule(line: str, family: int = 4) -> Rule:
    found = parse(f"*filter\n{line}\nCOMMIT\n", family).tables["filter"]
    return next(one for chain in found.values() for one in chain.rules)


def quoted(word: str) -> str:
    """As iptables-save quotes: everything that is not plain, with a backslash before what would end it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    return f'"{escaped}"'


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-A INPUT -p tcp -m tcp --dport 22 --sport 80", "-A INPUT -p tcp -m tcp --dport 80 --sport 22"),
        ('-A INPUT -m comment --comment "a -b c"', '-A INPUT -m comment --comment "a -b" -p c'),
        ('-A INPUT -m comment --comment "a b"', "-A INPUT -m comment --comment a"),
        ("-A INPUT -m comment --comment -x", "-A INPUT -m comment -x"),
        ("-A INPUT -s 10.0.0.0/8 -j ACCEPT", "-A INPUT ! -s 10.0.0.0/8 -j ACCEPT"),
        ("-A INPUT -s 10.0.0.1/32 -j ACCEPT", "-A INPUT -d 10.0.0.1/32 -j ACCEPT"),
        ("-A INPUT -j f2b", "-A INPUT -g f2b"),
        ("-A INPUT -j ACCEPT", "-A FORWARD -j ACCEPT"),
        ("-A INPUT -j REJECT --reject-with tcp-reset", "-A INPUT -j REJECT"),
        (
            "-A INPUT -p tcp -m limit --limit 3/min -m tcp --dport 80 -j ACCEPT",
            "-A INPUT -p tcp -m tcp --dport 80 -m limit --limit 3/min -j ACCEPT",
        ),
        ("-A INPUT -s 10.0.0.1/255.0.0.255 -j ACCEPT", "-A INPUT -s 10.0.0.1/8 -j ACCEPT"),
    ],
)
def test_different_rules_are_different(one: str, other: str) -> None:
    assert rule(one).meaning != rule(other).meaning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "-A INPUT -s 10.0.0.1 -p tcp --dport 22 -j DROP",
            "-A INPUT -p tcp -m tcp --dport 22 -s 10.0.0.1/32 -j DROP",
        ),
        ("-A INPUT -s 10.0.0.0/255.0.0.0 -j DROP", "-A INPUT -s 10.0.0.0/8 -j DROP"),
        ("-A INPUT -s 0.0.0.0/0 -j DROP", "-A INPUT -j DROP"),
        ("-A INPUT -m conntrack --ctstate NEW,RELATED", "-A INPUT -m conntrack --ctstate RELATED,NEW"),
        ("-A INPUT -j REJECT", "-A INPUT -j REJECT --reject-with icmp-port-unreachable"),
        (
            "-A INPUT -m recent --set",
            "-A INPUT -m recent --set --name DEFAULT --mask 255.255.255.255 --rsource",
        ),
    ],
)
def test_spellings_of_one_rule_are_equal(one: str, other: str) -> None:
    assert rule(one).meaning == rule(other).meaning


def test_a_comment_is_read_as_it_was_written() -> None:
    found = rule(r'-A DOCKER-USER -p tcp -m comment --comment "it\'s \"open\" -j DROP" -j ACCEPT')

    assert found.target == "ACCEPT"
    assert found.words == ("-p", "tcp", "-m", "comment", "--comment", 'it\'s "open" -j DROP', "-j", "ACCEPT")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    for whole in (text, f"*filter\n{text}", f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {text}"):
        try:
            parse(whole, 4)
        except FactError:
            continue


@given(st.lists(WORDS, min_size=1, max_size=4, unique=True))
def test_every_comment_makes_a_rule_of_its_own(comments: list[str]) -> None:
    rules = [rule(f"-A INPUT -m comment --comment {quoted(comment)} -j ACCEPT") for comment in comments]

    assert [one.words[3] for one in rules] == comments
    assert all(one.meaning != other.meaning for one, other in pairwise(rules))


@given(st.lists(WORDS, max_size=5))
def test_a_rule_read_from_its_own_words_is_the_same_rule(words: list[str]) -> None:
    line = " ".join(["-A INPUT -p tcp -m string --string", *map(quoted, words), "-j DROP"])
    first = rule(line)
    again = rule(" ".join(("-A INPUT", *map(_as_saved, first.words))))

    assert again.meaning == first.meaning


def _as_saved(word: str) -> str:
    plain = word in {"-p", "tcp", "-m", "string", "--string", "-j", "DROP"}
    return word if plain else quoted(word)


def test_rules_that_iptables_cannot_show_are_an_error() -> None:
    with pytest.raises(FactError, match="cannot show"):
        parse("# Table `filter' is incompatible, use 'nft' tool.\n", 4)
