"""Whether a condition holds for a packet of which not everything is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gonka_state.facts.addresses import Sources
from gonka_state.facts.culprits import BRIDGES
from gonka_state.facts.iptables import Rule, parse
from gonka_state.facts.packet import Holds, Packet, holds, sources

HOST = Packet(family=4, protocol="tcp", ports=(5050, 5050), bridges=BRIDGES)
CONTAINER = replace(HOST, ports=(5000, 5000), original=(5050, 5050), local=False, container=True, outbound=None,
                    destinations=("172.18.0.2",))  # fmt: skip
RANGE = replace(HOST, ports=(8000, 8010))


def rule(conditions: str) -> Rule:
    return parse(f"*filter\n-A INPUT {conditions} -j ACCEPT", 4).tables["filter"]["INPUT"].rules[0]


@pytest.mark.parametrize(
    ("conditions", "packet", "expected"),
    [
        ("-i lo", HOST, Holds.NO),
        ("! -i lo", HOST, Holds.YES),
        ("-i +", HOST, Holds.YES),
        ("-i l+", HOST, Holds.MAYBE),
        ("-i eth0", HOST, Holds.MAYBE),
        ("-i docker0", HOST, Holds.NO),
        ("-i br-0123456789ab", HOST, Holds.NO),
        ("-i br-+", HOST, Holds.NO),
        ("-i b+", HOST, Holds.MAYBE),
        ("-i eth0", replace(HOST, inbound="eth0"), Holds.YES),
        ("-i eth+", replace(HOST, inbound="eth0"), Holds.YES),
        ("-i wg0", replace(HOST, inbound="eth0"), Holds.NO),
        ("-o eth0", HOST, Holds.NO),
        ("-o eth0", replace(HOST, outbound=None), Holds.MAYBE),
        ("-o lo", replace(HOST, outbound=None), Holds.NO),
        ("-o +", replace(HOST, outbound=None), Holds.YES),
        ("-o docker0", CONTAINER, Holds.MAYBE),
        ("-o br-445d1018390f", CONTAINER, Holds.MAYBE),
        ("-o b+", CONTAINER, Holds.MAYBE),
        ("-o eth0", CONTAINER, Holds.NO),
        ("-d 172.18.0.2/32", CONTAINER, Holds.YES),
        ("-d 172.18.0.0/16", CONTAINER, Holds.YES),
        ("-d 172.17.0.2/32", CONTAINER, Holds.NO),
        ("-d 10.77.0.14/32", HOST, Holds.MAYBE),
        ("-d 127.0.0.1/32", HOST, Holds.NO),
        ("-d 224.0.0.251/32", HOST, Holds.NO),
        ("-d 10.0.0.1/255.0.0.255", HOST, Holds.MAYBE),
        ("-p tcp -m tcp --dport 5050", HOST, Holds.YES),
        ("-p tcp -m tcp --dport 5050", CONTAINER, Holds.NO),
        ("-p tcp -m tcp --dport 5000", CONTAINER, Holds.YES),
        ("-p tcp -m tcp --dport 5000", replace(CONTAINER, unsure=True), Holds.MAYBE),
        ("-p tcp -m tcp --dport 8000:9000", RANGE, Holds.YES),
        ("-p tcp -m tcp --dport 8005", RANGE, Holds.MAYBE),
        ("-p tcp -m multiport --dports 8000:8004,8005:8010", RANGE, Holds.YES),
        ("-p tcp -m multiport --dports 80,443", RANGE, Holds.NO),
        ("-p tcp -m tcp --dport 1024:", RANGE, Holds.YES),
        ("-p tcp -m tcp --dport http", RANGE, Holds.MAYBE),
        ("-p tcp -m tcp --dport 80", replace(HOST, ports=None), Holds.NO),
        ("-p tcp -m tcp --sport 53", HOST, Holds.MAYBE),
        ("-p udp", HOST, Holds.NO),
        ("-p tcp", replace(HOST, protocol="any"), Holds.NO),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN", HOST, Holds.YES),
        ("-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE", HOST, Holds.NO),
        ("-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN", HOST, Holds.NO),
        ("-m conntrack --ctstate INVALID", HOST, Holds.NO),
        ("-m conntrack --ctstate RELATED,ESTABLISHED", HOST, Holds.NO),
        ("-m state --state NEW,ESTABLISHED", HOST, Holds.YES),
        ("-m conntrack --ctstate DNAT", HOST, Holds.NO),
        ("-m conntrack --ctstate DNAT --ctorigdstport 5050 --ctdir ORIGINAL", CONTAINER, Holds.YES),
        ("-m conntrack --ctorigdstport 8080", CONTAINER, Holds.NO),
        ("-m conntrack --ctdir REPLY", CONTAINER, Holds.NO),
        ("-m addrtype --dst-type LOCAL", HOST, Holds.YES),
        ("-m addrtype --dst-type LOCAL", CONTAINER, Holds.NO),
        ("-m addrtype --dst-type BROADCAST", HOST, Holds.NO),
        ("-m set --match-set bad src", HOST, Holds.MAYBE),
        ("-m limit --limit 3/min", HOST, Holds.MAYBE),
        ('-m comment --comment "whatever"', HOST, Holds.YES),
        ("-m sometime --new-option x", HOST, Holds.MAYBE),
        ("-p udp -m sometime --new-option x", HOST, Holds.NO),
        ("! -s 10.0.0.0/8", HOST, Holds.YES),
    ],
)
def test_a_condition_is_judged(conditions: str, packet: Packet, expected: Holds) -> None:
    assert holds(rule(conditions), packet) is expected


@pytest.mark.parametrize(
    ("conditions", "words", "sure"),
    [
        ("-p tcp", ["0.0.0.0/0"], Holds.YES),
        ("-s 10.0.0.1", ["10.0.0.1"], Holds.YES),
        ("! -s 10.0.0.1", ["0.0.0.0/0", "not 10.0.0.1"], Holds.YES),
        ("-m iprange --src-range 10.0.0.4-10.0.0.7", ["10.0.0.4/30"], Holds.YES),
        ("-s 10.0.0.1/255.0.0.255", ["0.0.0.0/0"], Holds.MAYBE),
        ("-m iprange --src-range 10.0.0.4-fd00::1", ["0.0.0.0/0"], Holds.MAYBE),
    ],
)
def test_whom_a_rule_names(conditions: str, words: list[str], sure: Holds) -> None:
    named, certain = sources(rule(conditions))

    assert (Sources.one(named).words(), certain) == (words, sure)
