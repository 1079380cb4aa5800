"""Walking rules with sets of sources gives what a packet by packet interpreter gives, or more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts.addresses import Addresses, Sources
from gonka_state.facts.iptables import parse
from gonka_state.facts.packet import Packet
from gonka_state.facts.reach import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.facts.iptables import Rule, Table

PACKET = Packet(family=4, protocol="tcp", ports=(80, 80))
# Sixteen addresses are all there are in the small world of these rules: 10.0.0.0 to 10.0.0.15.
BASE = 10 << 24
MANY = 400
WORLD = [BASE + last for last in range(16)]

source = st.builds(
    lambda bad, last, bits: f"{'! ' if bad else ''}-s 10.0.0.{last & ~((1 << (32 - bits)) - 1)}/{bits}",
    st.booleans(),
    st.integers(0, 15),
    st.integers(28, 32),
)
known = st.sampled_from(["", "-p tcp", "-p udp", "! -p udp", "-p tcp -m tcp --dport 80", "-p tcp -m tcp --dport 1:79",
                         "-p tcp -m tcp ! --dport 80", "-i lo", "-m conntrack --ctstate NEW",
                         "-m conntrack --ctstate ESTABLISHED", "-m conntrack --ctstate RELATED,NEW", "-p tcp -m multiport --dports 22,70:90"])  # fmt: skip
unsure = st.sampled_from(["-i eth0", "-p tcp -m tcp --sport 53", "-d 10.9.9.9/32", "-m mark --mark 0x1"])
targets = st.sampled_from(
    ["-j ACCEPT", "-j DROP", "-j REJECT", "-j RETURN", "-j LOG", "-j one", "-g one", "-g two", "-j two", ""]
)


def lines(conditions: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    one = st.tuples(st.just("") | source, conditions, targets).map(
        lambda parts: " ".join(filter(None, parts))
    )
    return st.lists(one, min_size=2, max_size=6)


@st.composite
def tables(draw: st.DrawFn, conditions: st.SearchStrategy[str]) -> Table:
    text = [
        "*filter",
        f":INPUT {draw(st.sampled_from(['ACCEPT', 'DROP']))} [0:0]",
        ":one - [0:0]",
        ":two - [0:0]",
    ]
    text += [f"-A INPUT {line}" for line in draw(lines(conditions))]
    # A chain may call only a later one: the kernel loads no circles.
    text += [
        f"-A one {line}" for line in draw(lines(conditions)) if not line.endswith(" one") and line != "-j one"
    ]
    text += [
        f"-A two {line}" for line in draw(lines(conditions)) if line.rpartition(" ")[2] not in {"one", "two"}
    ]
    return parse("\n".join(text), 4).tables["filter"]


def interpret(table: Table, address: int, guess: Callable[[Rule], bool]) -> bool:
    """What the kernel does with one packet; `guess` decides the conditions nobody can know."""

    def chain(name: str) -> bool | None:
        for rule in table[name].rules:
            if not matches(rule, address, guess):
                continue
            if rule.target == "RETURN":
                return None
            if rule.target in {"ACCEPT", "DROP", "REJECT"}:
                return rule.target == "ACCEPT"
            if rule.target in {"one", "two"}:
                answer = chain(rule.target)
                if answer is not None or rule.goto:
                    return answer
        return None

    answer = chain("INPUT")
    return table["INPUT"].policy == "ACCEPT" if answer is None else answer


def matches(rule: Rule, address: int, guess: Callable[[Rule], bool]) -> bool:
    return all(
        met(option.name, " ".join(option.values), address, lambda: guess(rule)) is not option.negated
        for match in rule.matches
        for option in match.options
    )


def met(name: str, value: str, address: int, guess: Callable[[], bool]) -> bool:
    certain = {
        "-p": value == "tcp",
        "--dport": value == "80",
        "--dports": "70:90" in value,
        "--ctstate": "NEW" in value,
    }
    if name == "-s":
        return inside(Addresses.network(4, value), address)
    if name == "-i" and value == "lo":
        return False
    return certain[name] if name in certain else guess()


def inside(addresses: Addresses, address: int) -> bool:
    return bool(addresses & Addresses.of(4, [(address, address)]))


@settings(max_examples=MANY)
@given(tables(known))
def test_where_everything_is_known_the_answer_is_exact(table: Table) -> None:
    found = Walk(table, PACKET).through("INPUT")

    for address in WORLD:
        assert inside(found.open, address) == interpret(table, address, lambda _: False)


@settings(max_examples=MANY)
@given(tables(known | unsure), st.integers(0, 2**12 - 1))
def test_nobody_who_gets_through_is_missed(table: Table, mask: int) -> None:
    found = Walk(table, PACKET).through("INPUT")
    order = {id(rule): place for place, rule in enumerate(r for chain in table.values() for r in chain.rules)}

    # Whatever the conditions that nobody can know turn out to be.
    for world in (mask, 0, 2**20 - 1):

        def guess(rule: Rule, bits: int = world) -> bool:
            return bool(bits >> order[id(rule)] & 1)

        for address in WORLD:
            if interpret(table, address, guess):
                assert inside(found.open, address)


@given(tables(known | unsure))
def test_who_is_let_in_or_kept_out_has_a_rule_or_the_policy_to_thank(table: Table) -> None:
    found = Walk(table, PACKET).through("INPUT", policy=False)
    named = Addresses(4)
    for cause in (*found.opened, *found.closed):
        named = named | cause.whom

    assert not Addresses.everybody(4) - (named | found.rest)


def test_who_is_sent_on_by_goto_does_not_come_back() -> None:
    text = "*filter\n:INPUT DROP [0:0]\n:one - [0:0]\n-A INPUT -s 10.0.0.1 -g one\n-A INPUT -j ACCEPT\n"
    found = Walk(parse(text, 4).tables["filter"], PACKET).through("INPUT")

    assert Sources.one(found.open).words() == ["0.0.0.0/0", "not 10.0.0.1"]


def test_chains_in_a_circle_are_an_error() -> None:
    table = parse("*filter\n:a - [0:0]\n:b - [0:0]\n-A INPUT -j a\n-A a -j b\n-A b -j a", 4).tables["filter"]

    with pytest.raises(FactError, match="leads back to itself"):
        Walk(table, PACKET).through("INPUT")


ranges = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 9)).map(lambda pair: (pair[0], sum(pair))), max_size=5
)


@given(ranges, ranges)
def test_sets_of_addresses_do_what_sets_do(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    def plain(pairs: list[tuple[int, int]]) -> set[int]:
        return {number for low, high in pairs for number in range(low, high + 1)}

    mine, theirs = Addresses.of(4, one), Addresses.of(4, other)

    assert plain([*(mine | theirs).ranges]) == plain(one) | plain(other)
    assert plain([*(mine & theirs).ranges]) == plain(one) & plain(other)
    assert plain([*(mine - theirs).ranges]) == plain(one) - plain(other)


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        (Sources.everybody(), ["any"]),
        (Sources(), []),
        (Sources.read(["10.0.0.1", "10.0.0.0/31", "fd00::/64"]), ["10.0.0.0/31", "fd00::/64"]),
        (Sources.everybody() - Sources.read(["10.0.0.1"]), ["any", "not 10.0.0.1"]),
        (Sources(v4=Addresses.everybody(4)), ["0.0.0.0/0"]),
    ],
)
def test_sources_are_told_as_they_are_declared(sources: Sources, words: list[str]) -> None:
    assert sources.words() == words
