"""What is concluded from one look at a firewall, beyond what the recorded cases show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gonka_state.core.address import Address
from gonka_state.core.change import Action, AttributeChange, Effect
from gonka_state.core.diff import compare
from gonka_state.core.observation import Absent, Present
from gonka_state.errors import FactError
from gonka_state.facts import container_port, container_ports, firewall_rule, lockout
from gonka_state.facts.base import PRELUDE, Look
from gonka_state.facts.firewall import FACT, FirewallState
from gonka_state.facts.here import Here
from gonka_state.facts.iptables import parse
from gonka_state.facts.ufw import saved_rules, switches
from gonka_state.resources.firewall import ContainerPortResource, FirewallResource, FirewallRuleResource

if TYPE_CHECKING:
    from gonka_state.resources.base import Resource

CASES = Path(__file__).parent.parent / "kinds" / "firewall"
PEER = "10.77.0.1"


def state(case: str, **replacements: str) -> FirewallState:
    text = YAML(typ="safe", pure=True).load((CASES / f"{case}.yaml").read_text())["output"]
    for old, new in replacements.items():
        text = text.replace(old, new)
    return FACT.parse(text)


def rule(port: str = "9100", **words: object) -> FirewallRuleResource:
    return FirewallRuleResource.model_validate({"port": port, **words})


def refused(found: FirewallState, *declared: Resource, peer: str = PEER) -> set[str]:
    mapping = {Address("ml-03", one.kind, one.name): one for one in declared}
    here = Here("ml-03", {}, peer, declared)
    return {address.local for address in lockout.refuse(found, mapping, here)}


@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*.yaml")))
def test_every_rule_ufw_has_saved_is_found_in_the_kernel_unless_somebody_took_it(case: str) -> None:
    found = state(case)
    lost = {
        one.text
        for saved in found.saved
        for one in saved.rules
        if one not in found.table(saved.family)[one.chain].rules
    }

    assert len(lost) == (1 if case == "kernel_lost" else 0)


ON = FirewallResource(enabled=True, incoming="deny")
OPEN = FirewallResource(enabled=True, incoming="allow")


@pytest.mark.parametrize(
    ("declared", "peer", "expected"),
    [
        ([ON], PEER, {"firewall:ufw"}),
        ([ON, rule("22")], PEER, set()),
        ([ON, rule("22", **{"from": "10.77.0.0/24"})], PEER, set()),
        ([ON, rule("22", **{"from": "10.77.0.0/24"})], "10.78.0.1", {"firewall:ufw", "firewall-rule:22/tcp"}),
        ([ON, rule("22", **{"from": "10.77.0.0/24"})], "::ffff:10.77.0.1", set()),
        ([ON, rule("22", **{"from": "10.77.0.0/24"})], "fe80::1%eth0", {"firewall:ufw", "firewall-rule:22/tcp"}),
        ([ON, rule("20:30", protocol="tcp")], PEER, set()),
        ([ON, rule("any", protocol="any", **{"from": PEER})], PEER, set()),
        ([ON, rule("22", protocol="udp")], PEER, {"firewall:ufw"}),
        ([ON, rule("22"), rule("22", action="deny", **{"from": PEER})], PEER,
         {"firewall:ufw", "firewall-rule:22/tcp", "firewall-rule:deny:22/tcp"}),
        ([OPEN], PEER, set()),
        ([FirewallResource(enabled=False)], PEER, set()),
        ([rule("22", **{"from": "10.77.0.200"})], PEER, set()),
        ([ON, rule("22", **{"from": "10.77.0.200"})], "", set()),
    ],
)  # fmt: skip
def test_a_fresh_host_is_never_locked(declared: list[Resource], peer: str, expected: set[str]) -> None:
    assert refused(state("fresh"), *declared, peer=peer) == expected


def test_taking_away_the_rule_that_lets_the_operator_in_is_refused() -> None:
    away = rule("22", state="absent")

    assert refused(state("in_sync"), away) == {"firewall-rule:22/tcp"}
    assert refused(state("in_sync"), away, rule("22", interface="host0")) == set()


def test_a_rule_of_somebody_else_that_lets_the_operator_in_is_enough() -> None:
    assert refused(state("foreign_before"), ON) == set()


def test_another_port_of_sshd_counts() -> None:
    found = state("in_sync", **{"0.0.0.0:22 ": "0.0.0.0:2222 ", "[::]:22 ": "[::]:2222 "})

    assert found.ssh == (2222,)
    assert refused(found, ON, rule("22")) == set(), "an undeclared limit rule lets in"
    assert refused(found, ON, rule("2222", **{"from": "10.0.0.9"})) == {
        "firewall:ufw",
        "firewall-rule:2222/tcp",
    }


def test_what_another_declared_rule_lets_in_is_no_hole() -> None:
    found = state("any_protocol")
    mine = rule("9100", **{"from": ["10.77.0.11", "10.77.0.12"]})
    wide = rule(protocol="any")

    alone = firewall_rule.observe(found, mine, Here("ml-03", {}, declared=[mine]))
    both = firewall_rule.observe(found, mine, Here("ml-03", {}, declared=[mine, wide]))

    assert isinstance(alone, Present)
    assert isinstance(both, Present)
    assert (alone.attributes["from"], both.attributes["from"]) == (["any"], ["10.77.0.11", "10.77.0.12"])


def test_a_port_for_nobody_needs_no_rule() -> None:
    nobody = rule("9200", **{"from": "nobody", "comment": "for nobody"})
    here = Here("ml-03", {}, declared=[nobody])

    closed = firewall_rule.observe(state("in_sync"), nobody, here)
    opened = firewall_rule.observe(state("input_accept"), nobody, here)

    assert compare(nobody.attributes(), closed) == (Action.NONE, ())
    assert isinstance(opened, Present)
    assert (opened.attributes["from"], "lets in" in opened.reason) == (["0.0.0.0/0"], True)


WIDE = ["0.0.0.0/1", "128.0.0.0/2"]
"""Shorter to tell by who is missing."""


def test_a_wide_set_of_sources_is_shown_as_it_was_wished() -> None:
    found = state("in_sync", **{"10.77.0.11/32": WIDE[0], "10.77.0.11": WIDE[0], "10.77.0.12/32": WIDE[1], "10.77.0.12": WIDE[1]})  # fmt: skip
    mine = rule("9100", **{"from": WIDE})

    seen = firewall_rule.observe(found, mine, Here("ml-03", {}, declared=[mine]))

    assert compare(mine.attributes(), seen) == (Action.NONE, ())


def test_a_wide_set_that_a_container_port_lets_in_is_shown_as_it_was_wished() -> None:
    line = "\n-A GONKA-STATE -s {} -p tcp -m conntrack --ctstate DNAT --ctorigdstport 5050 --ctdir ORIGINAL -j RETURN"
    wide = "".join(line.format(source) for source in WIDE)
    found = state("in_sync", **{line.format("10.77.0.11/32"): wide})
    port = ContainerPortResource.model_validate({"port": 5050, "from": WIDE})

    seen = container_port.observe(found, port, Here("ml-03", {}))

    assert isinstance(seen, Present)
    assert seen.attributes["from"] == WIDE


ONE, TWO = ["10.0.0.1"], ["10.0.0.1", "10.0.0.2"]


@pytest.mark.parametrize(
    ("action", "name", "before", "after", "effect"),
    [
        ("allow", "from", ONE, TWO, Effect.SAFE),
        ("allow", "from", TWO, ONE, Effect.DISRUPTIVE),
        ("deny", "from", ONE, TWO, Effect.DISRUPTIVE),
        ("reject", "from", [], ["any"], Effect.DISRUPTIVE),
        ("deny", "from", TWO, ONE, Effect.SAFE),
        ("limit", "action", "allow", "limit", Effect.DISRUPTIVE),
        ("limit", "action", "allow+limit", "limit", Effect.DISRUPTIVE),
        ("allow", "action", "limit", "allow", Effect.SAFE),
        ("reject", "action", "deny", "reject", Effect.SAFE),
        ("deny", "action", "limit", "deny", Effect.DISRUPTIVE),
        ("deny", "comment", "a", "b", Effect.SAFE),
    ],
)
def test_a_rule_disturbs_where_less_comes_in_than_before(
    action: str,
    name: str,
    before: Any,  # noqa: ANN401 (of either attribute)
    after: Any,  # noqa: ANN401 (as before)
    effect: Effect,
) -> None:
    change = AttributeChange(name, before, after)
    comment = AttributeChange("comment", None, "x")

    assert rule(action=action).effect(Action.UPDATE, (comment, change)) is effect
    assert rule(action=action).effect(Action.UPDATE, (change, comment)) is effect


def test_a_new_rule_that_keeps_out_disturbs_and_one_that_lets_in_does_not() -> None:
    effects = {
        action: rule(action=action).effect(Action.CREATE, ())
        for action in ("allow", "limit", "deny", "reject")
    }

    assert effects == {
        "allow": Effect.SAFE,
        "limit": Effect.SAFE,
        "deny": Effect.DISRUPTIVE,
        "reject": Effect.DISRUPTIVE,
    }
    assert rule(action="deny").effect(Action.DELETE, ()) is Effect.DESTRUCTIVE


def test_where_a_rule_of_another_kind_lets_in_too_many_a_new_rule_lets_in_fewer() -> None:
    """That one goes with it, and whoever came in by it is cut off."""
    mine = rule("9100", protocol="udp", **{"from": "10.77.0.11"})

    seen = firewall_rule.observe(state("any_protocol"), mine, Here("ml-03", {}, declared=[mine]))
    action, changes = compare(mine.attributes(), seen)

    assert action is Action.UPDATE
    assert [(change.name, change.before, change.after) for change in changes] == [
        ("from", ["any"], ["10.77.0.11"])
    ]
    assert mine.effect(action, changes) is Effect.DISRUPTIVE


def test_a_hole_is_named_before_ufw_is_switched_on() -> None:
    seen = firewall_rule.observe(
        state("foreign_before"), rule("22", **{"from": "10.0.0.9"}), Here("ml-03", {})
    )

    assert isinstance(seen, Present)
    assert seen.attributes["from"] == ["any"]


def test_a_port_that_nobody_restricts_is_absent_when_that_is_the_wish() -> None:
    port = ContainerPortResource(port=7000, state="absent")

    assert isinstance(container_port.observe(state("in_sync"), port, Here("ml-03", {})), Absent)


def test_docker_that_translates_ipv6_too_is_judged_in_its_forward_chain() -> None:
    found = state("in_sync")
    v6 = """*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
:DOCKER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -o docker0 -j DOCKER
COMMIT
*nat
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 5050 -j DNAT --to-destination [fd00::2]:5000
COMMIT
"""
    kernel = {**found.kernel, 6: parse(v6, 6)}
    seen = container_port.observe(
        FirewallState(installed=True, kernel=kernel, ours=found.ours, started=found.started),
        ContainerPortResource.model_validate({"port": 5050, "from": "10.77.0.11"}),
        Here("ml-03", {}),
    )

    assert isinstance(seen, Present)
    assert seen.attributes["from"] == ["10.77.0.11", "::/0"]
    assert seen.reason == "no rule restricts ::/0 on the way through FORWARD"


def test_rules_of_a_port_say_everything_twice_for_both_ways() -> None:
    files = container_ports.files(5050, "tcp", ["10.77.0.11"])

    assert files["5050-tcp.v4"].splitlines() == [
        "-A GONKA-STATE -s 10.77.0.11/32 -p tcp -m conntrack --ctstate DNAT --ctorigdstport 5050 --ctdir ORIGINAL -j RETURN",
        "-A GONKA-STATE -p tcp -m conntrack --ctstate DNAT --ctorigdstport 5050 --ctdir ORIGINAL -j DROP",
        "-A GONKA-STATE-IN -s 10.77.0.11/32 -p tcp -m tcp --dport 5050 -j RETURN",
        "-A GONKA-STATE-IN -p tcp -m tcp --dport 5050 -j DROP",
    ]
    assert files["5050-tcp.v6"].count("DROP") == 2
    assert set(container_ports.files(5050, "tcp", ["any"]).values()) == {""}


# Recorded: /etc/ufw/user.rules of ufw 0.36.2, one tuple of each form it writes.
TUPLES = """\
*filter
:ufw-user-input - [0:0]
### RULES ###

### tuple ### allow tcp 5050 0.0.0.0/0 any 10.77.0.11 in comment=74776f20776f726473
-A ufw-user-input -p tcp --dport 5050 -s 10.77.0.11 -j ACCEPT

### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in
-A ufw-user-input -p tcp --dport 22 -j ACCEPT -m comment --comment 'dapp_OpenSSH'

### tuple ### allow any any 0.0.0.0/0 any 10.77.0.5 in
-A ufw-user-input -s 10.77.0.5 -j ACCEPT

### tuple ### allow tcp 7777 0.0.0.0/0 any 0.0.0.0/0 in_host0
-A ufw-user-input -i host0 -p tcp --dport 7777 -j ACCEPT

### tuple ### allow_log tcp 6002 0.0.0.0/0 any 0.0.0.0/0 in
-A ufw-user-input -p tcp --dport 6002 -j ACCEPT

### tuple ### route:allow tcp 80 172.17.0.2 any 0.0.0.0/0 in_host0!out_docker0
-A ufw-user-forward -i host0 -o docker0 -p tcp -d 172.17.0.2 --dport 80 -j ACCEPT

### tuple ### allow tcp 6003 10.77.0.14 1000 10.0.0.0/8 in
-A ufw-user-input -p tcp -d 10.77.0.14 --dport 6003 -s 10.0.0.0/8 --sport 1000 -j ACCEPT

### END RULES ###
"""


def test_every_form_of_a_saved_rule_is_spelled_as_ufw_takes_it() -> None:
    found, _ = saved_rules(TUPLES, 4)

    assert [str(one) for one in found] == [
        "ufw allow in proto tcp from 10.77.0.11 to any port 5050",
        "ufw allow in from 0.0.0.0/0 to any app OpenSSH",
        "ufw allow in from 10.77.0.5 to any",
        "ufw allow in on host0 proto tcp from 0.0.0.0/0 to any port 7777",
        "ufw allow in log proto tcp from 0.0.0.0/0 to any port 6002",
        "ufw route allow in on host0 out on docker0 proto tcp from 0.0.0.0/0 to 172.17.0.2 port 80",
        "ufw allow in proto tcp from 10.0.0.0/8 port 1000 to 10.77.0.14 port 6003",
    ]
    assert found[0].comment == "two words"
    assert [one.plain for one in found] == [True, True, True, True, True, False, False]


@given(st.text())
def test_any_file_of_ufw_is_read_or_refused(text: str) -> None:
    switches(text)
    for whole in (text, f"### tuple ### {text}", f"*filter\n### tuple ### allow tcp 22 {text}\n-A x {text}"):
        try:
            found, _ = saved_rules(whole, 4)
        except FactError:
            continue
        assert all(one.words() for one in found)


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    for whole in (text, f"#@x part kernel4\n{text}\n#@x rc 0 "):
        try:
            FACT.parse(whole)
        except FactError:
            continue


def test_an_answer_without_iptables_says_what_to_install() -> None:
    with pytest.raises(FactError, match="iptables is not installed"):
        FACT.parse("#@x part kernel4\n\n#@x rc 127 sh: iptables-save: not found")


def test_the_section_only_reads() -> None:
    script = PRELUDE + FACT.script((), Look())

    assert not any(word in script for word in ("ufw status", "iptables -", ">/etc", "rm ", "systemctl"))
