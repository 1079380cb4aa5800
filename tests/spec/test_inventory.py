"""Ansible's INI format: what it says, by line, and what is said about what cannot be understood."""

from __future__ import annotations

import contextlib
import csv
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gonka_state.errors import InputError
from gonka_state.spec.imported import from_addresses, from_inventory
from gonka_state.spec.inventory import is_secret
from gonka_state.spec.inventory_hosts import MAX_HOSTS, expand, without_port
from gonka_state.spec.inventory_models import LARGE, SMALL
from gonka_state.spec.inventory_parse import masked, parse
from gonka_state.spec.problems import Problems
from gonka_state.spec.write import as_yaml

if TYPE_CHECKING:
    from gonka_state.spec.inventory import Inventory

HERE = Path(__file__).parent
PLAN = (HERE / "inventories/plan.ini").read_text()
FIRST_LINE = 217
"""Where the text of inventories/plan.ini begins in the deployment plan; it ends with the block, in line 270."""


def read(text: str) -> Inventory:
    problems = Problems()
    inventory = parse(text, "inventory.ini", problems)
    problems.check()
    return inventory


def wrong(text: str) -> list[str]:
    problems = Problems()
    parse(text, "inventory.ini", problems)
    return problems.rendered()


def test_the_plans_inventory_is_the_plans() -> None:
    lines = dict(enumerate(PLAN.splitlines(), FIRST_LINE))
    with (HERE.parent / "plan_items.tsv").open(newline="") as index:
        items = [(int(one["line"]), one["key"]) for one in csv.DictReader(index, delimiter="\t")]
    inside = [(line, key) for line, key in items if line in lines]

    assert len(inside) == 34
    assert [(line, key) for line, key in inside if key not in lines[line]] == []
    assert max(lines) == 270


def test_every_host_and_variable_knows_its_line() -> None:
    found = read(PLAN)

    assert {name: host.source.line + FIRST_LINE - 1 for name, host in found.hosts.items()} == {
        "cluster1-network": 220,
        **{f"cluster1-ml-0{number}": 222 + number for number in range(1, 6)},
        "cluster2-network": 235,
        **{f"cluster2-ml-0{number}": 237 + number for number in range(1, 6)},
    }
    assert found.hosts["cluster1-ml-05"].comment == "Qwen3-32B"
    assert found.hosts["cluster1-ml-05"].variables["ansible_host"].value == "192.168.1.105"
    assert found.settings["remote_user"].value == "ubuntu"
    assert found.settings["remote_user"].source.line + FIRST_LINE - 1 == 256
    assert found.groups_of("cluster2-ml-01") == ["gonka_clusters", "cluster2", "cluster2_ml_nodes"]


def test_what_is_nearer_to_a_host_wins() -> None:
    found = read(
        "[inner:vars]\nWHO=inner\n[all:vars]\nwho=all\nport=1\n[outer:children]\ninner\n[outer:vars]\nwho=outer\n"
        "[inner]\none\ntwo who=own\n[other]\nthree\n"
    )

    assert {name: found.variables_of(name)["who"].value for name in found.hosts} == {
        "one": "inner", "two": "own", "three": "all",
    }  # fmt: skip
    assert found.variables_of("two")["port"].value == "1"


@pytest.mark.parametrize(
    ("line", "value", "comment"),
    [
        ("a x=1 # two words", "1", "two words"),
        ("a x='1 # 2'", "1 # 2", ""),
        ('a x="it\'s"   #c # d', "it's", "c # d"),
        (r"a x=\#1", "#1", ""),
        ("a x=1#2", "1", "2"),
        ("a x=", "", ""),
        ("a x=b=c # don't", "b=c", "don't"),
    ],
)
def test_quotes_and_comments_of_a_hosts_line(line: str, value: str, comment: str) -> None:
    host = read(f"[g]\n{line}\n").hosts["a"]

    assert (host.variables["x"].value, host.comment) == (value, comment)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 # two", "1"), ("'1 # 2' # 3", "1 # 2"), ('"x"', "x"), ("a#b", "a#b"), ("it's", "it's"), ("", "")],
)
def test_quotes_and_comments_of_a_groups_variable(text: str, value: str) -> None:
    assert read(f"[g]\na\n[g:vars]\nx = {text}\n").groups["g"].variables["x"].value == value


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ml[01:03]", ["ml01", "ml02", "ml03"]),
        ("ml[9:11]", ["ml9", "ml10", "ml11"]),
        ("10.0.0.[1:9:4]", ["10.0.0.1", "10.0.0.5", "10.0.0.9"]),
        ("[a:c]x", ["ax", "bx", "cx"]),
        ("r[1:2]-n[1:2]", ["r1-n1", "r1-n2", "r2-n1", "r2-n2"]),
        ("2001:db8::1", ["2001:db8::1"]),
    ],
)
def test_a_range_of_hosts(pattern: str, names: list[str]) -> None:
    assert expand(pattern) == names


@pytest.mark.parametrize(
    "pattern", ["ml[1:]", "ml[5:1]", "ml[01:100]", "ml[1:5:0]", "ml[a:5]", "ml[", "[1:1001]", "[1:50]x[1:50]", "a b", "ml[0:²]"]
)  # fmt: skip
def test_what_is_no_range_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"is no range|is no host's name|more than"):
        expand(pattern)


def test_a_port_behind_a_name() -> None:
    words = ["a:22", "ml[1:2]:22", "[2001:db8::1]:22", "2001:db8::1", "2001:db8:0:0:0:0:0:22", "ml[1:2]"]
    assert [without_port(word) for word in words] == [
        ("a", "22"), ("ml[1:2]", "22"), ("2001:db8::1", "22"), ("2001:db8::1", ""), ("2001:db8:0:0:0:0:0:22", ""), ("ml[1:2]", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (
            "[a]\nml01 ansible_host = 10.0.0.1\n",
            2,
            "expected NAME=VALUE behind a host's name, without blanks",
        ),
        ("[a]\nansible_user=ubuntu\n", 2, "[a:vars]"),
        ("[a:child]\nb\n", 1, "did you mean 'children'?"),
        ("[ml_nodes]\nx\n[ml_node:vars]\nu=1\n", 3, "did you mean 'ml_nodes'?"),
        ("[ml_nodes]\nx\n[c:children]\nml_nods\n", 4, "there is no group [ml_nods]"),
        ("[c:children]\nml01 ansible_host=10.0.0.1\n", 2, "expected a group's name"),
        ("[c]\nx\n[c:vars]\nansible_user ubuntu\n", 4, "expected NAME=VALUE in [c:vars]"),
        ("[a]\nx note='open\n", 2, "has no end"),
        ("[a]\nx p=1\n[b]\nx p=2\n", 4, "line 2 says another"),
        ("all:\n  hosts:\n", 0, "is YAML"),
        ("---\nall: {}\n", 0, "is YAML"),
        ("#!/usr/bin/env python3\n", 0, "is a program"),
        ("[a\nx\n", 1, "is no host's name"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, said: str) -> None:
    found = wrong(text)

    assert found
    assert found[0].startswith(f"inventory.ini:{line}:" if line else "inventory.ini: ")
    assert said in found[0]


def test_there_is_an_end_to_hosts() -> None:
    assert f"names more than {MAX_HOSTS} hosts" in "".join(wrong("[a]\na[1:999]\nb[1:999]\n"))


def test_groups_in_a_circle_come_to_an_end() -> None:
    assert read("[a:children]\nb\n[b:children]\na\n[b]\nx\n").groups_of("x") == ["a", "b"]


@pytest.mark.parametrize(
    "line",
    ["x ansible_password=hunter2", "keyring_password = 'hunter2'", "# Token: hunter2", "a u=http://me:hunter2@h/", "x ansible_ssh_pass=hunter2",
     "x MNEMONIC='one hunter2'", "become_pwd=hunter2", "x a=1 ssh_private_key='hunter2' b=2"],
)  # fmt: skip
def test_a_line_is_shown_without_its_secret(line: str) -> None:
    assert "hunter2" not in masked(line)
    assert "<secret>" in masked(line)


def test_the_path_of_a_key_file_is_no_secret() -> None:
    assert not is_secret("ansible_ssh_private_key_file")
    assert masked("x ansible_ssh_private_key_file=~/.ssh/k") == "x ansible_ssh_private_key_file=~/.ssh/k"


def anything(text: str, path: Path) -> None:
    """Cluster files or an error of ours, and the files are YAML."""
    path.write_bytes(text.encode())
    known = (LARGE, SMALL)
    for made in (partial(from_inventory, path, None, "", known), partial(from_addresses, path, "", known)):
        with contextlib.suppress(InputError):
            for words in made().clusters.values():
                assert as_yaml(words)


# What inventories are made of, so that a chance text comes far.
PIECES = st.sampled_from(
    ["[", "]", ":", "\n", " ", "=", "#", ";", "'", '"', "\\", ":vars]", ":children]", "[cluster1_ml_nodes]\n",
     "[network_node]\n", "[all:vars]\n", "[defaults]\n", "ml[1:3]", "[01:5]", "ansible_host=", "10.0.0.1", "10.0.0.2\n",
     "ansible_port=", "ansible_ssh_common_args=", "'-o ProxyJump=", "-J a,b", "-o ProxyCommand=", '"ssh -W %h:%p x"', "{{ x }}",
     "model=", "Qwen3-32B", "hf_home=/", "cluster_name=", "account_pubkey=", "public_url=http://[", "keyring_password=", "::1", "-", "_"]
)  # fmt: skip


@settings(max_examples=400)
@given(text=st.lists(st.one_of(PIECES, st.text(max_size=3)), max_size=40).map("".join))
@example(text="[network_node]\na\n[c:children]\nb\n[b:children]\nc\n")
@example(text="[network_node]\n\x85\u2028x ansible_host=10.0.0.1\n")
def test_any_text_gives_cluster_files_or_an_error_of_ours(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        anything(text, tmp_path_factory.getbasetemp() / "any.ini")


@settings(max_examples=200)
@given(at=st.integers(0, len(PLAN)), text=st.one_of(PIECES, st.text(max_size=4)), gone=st.integers(0, 40))
def test_the_plans_inventory_with_any_text_in_it(
    at: int, text: str, gone: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        anything(PLAN[:at] + text + PLAN[at + gone :], tmp_path_factory.getbasetemp() / "plan.ini")
