"""`gonka-state import`: cluster files from what an operator of the Ansible project has."""

from __future__ import annotations

import contextlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gonka_state.cli.writing import check
from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from gonka_state.spec.imported import Imported, from_addresses, from_inventory
from gonka_state.spec.inventory_models import LARGE, SMALL
from gonka_state.spec.load import load
from gonka_state.spec.write import as_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource
    from tests.cli.conftest import Ran

    Command = Callable[..., Ran]

ROOT = Path(__file__).parents[2]
INVENTORIES = ROOT / "tests/spec/inventories"
PLAN = (INVENTORIES / "plan.ini").read_text()
VALUES = {
    f"GONKA_{name}_CLUSTER{number}": value
    for number in (1, 2)
    for name, value in {
        "PUBLIC_HOST": f"203.0.113.1{number}",
        "ACCOUNT_PUBKEY": "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY",
        "KEYRING_PASSWORD": "correct-horse",
    }.items()
}
MODELS = {name: kind.resource for name, kind in KINDS.items()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator's directory: desired/ with nothing but shared.yaml, the plan's inventory beside it."""
    (tmp_path / "desired").mkdir()
    shutil.copy(ROOT / "desired/shared.yaml", tmp_path / "desired")
    (tmp_path / "inventory.ini").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def wishes(path: Path) -> list[Desired[Resource]]:
    return load([path], models=MODELS, env=VALUES, resolve_commands=False)


def in_yaml(path: Path) -> Any:  # noqa: ANN401  (any plain value)
    return YAML(typ="safe", pure=True).load(path)


def put(text: str, name: str = "inventory.ini") -> str:
    Path(name).write_text(text)
    return name


SMALLEST = "[cluster1_network_node]\nn ansible_host=10.0.0.1\n[cluster1_ml_nodes]\nm ansible_host=10.0.0.2\n"


def test_the_plans_inventory_becomes_the_plans_two_clusters(here: Path, cli: Command) -> None:
    ran = cli("import", "inventory.ini", "-o", "desired")

    assert (ran.status, ran.out) == (0, "desired/cluster1.yaml\ndesired/cluster2.yaml\n")
    assert cli("validate").status == 0
    hosts = [
        (login.host, login.address, login.user, login.key, in_yaml(here / f"desired/{wish.cluster}.yaml")["hosts"][login.host])
        for wish in wishes(here / "desired")
        for login in wish.hosts.values()
    ]  # fmt: skip
    assert len(hosts) == 12
    for number, (name, address, user, key, said) in enumerate(hosts):
        cluster, at = f"cluster{number // 6 + 1}", number % 6
        assert name == (f"{cluster}-ml-0{at}" if at else f"{cluster}-network")
        assert (address, user) == (f"192.168.1.{100 + number}", "ubuntu")
        assert key == str(Path("~/.ssh/gonka-deploy-key").expanduser())
        assert said["role"] == ("ml" if at else "network")
        assert said["model"] == (LARGE if at in {1, 2, 3, 4} else SMALL)


def test_they_wish_the_same_as_those_that_are_delivered(here: Path, cli: Command) -> None:
    cli("import", "inventory.ini", "-o", "desired")

    for made, own in zip(wishes(here / "desired"), wishes(ROOT / "desired"), strict=True):
        assert not made.missing
        assert [replace(item, source=None) for item in made.resources.values()] == [
            replace(item, source=None) for item in own.resources.values()
        ]
        assert [replace(login, known_hosts="") for login in made.hosts.values()] == [
            replace(login, known_hosts="") for login in own.hosts.values()
        ]


@pytest.mark.usefixtures("here")
def test_what_is_written_and_what_is_said(cli: Command, golden: Callable[[str, str], None]) -> None:
    ran = cli("import", "inventory.ini", "--cluster", "cluster2")

    assert ran.status == 0
    golden("imported-plan.yaml", ran.out + "".join(f"\n# {line}" for line in ran.err.splitlines()))


@pytest.mark.usefixtures("here")
def test_two_clusters_are_two_files(cli: Command) -> None:
    ran = cli("import", "inventory.ini")

    assert (ran.status, ran.out) == (4, "")
    assert "holds 2 clusters: cluster1, cluster2" in ran.err
    assert "-o DIR" in ran.err


def test_no_file_is_overwritten_and_none_written_beside_it(here: Path, cli: Command) -> None:
    (here / "desired/cluster2.yaml").write_text("mine\n")

    ran = cli("import", "inventory.ini", "-o", "desired")

    assert ran.status == 4
    assert "desired/cluster2.yaml is there already, and nothing was written" in ran.err
    assert (here / "desired/cluster2.yaml").read_text() == "mine\n"
    assert not (here / "desired/cluster1.yaml").exists()


@pytest.mark.usefixtures("here")
def test_where_there_is_nothing_to_extend_nothing_is_written(cli: Command) -> None:
    ran = cli("import", "inventory.ini", "-o", "nowhere")

    assert ran.status == 4
    assert "there is no nowhere/shared.yaml" in ran.err


USUAL = """\
[network_node]
gate ansible_host=10.0.0.1 ansible_port=2222

[ml_nodes]
ml[01:02] ansible_user=other
10.0.0.9 model=Qwen3-32B

[all:vars]
ansible_user=deploy
ansible_ssh_private_key_file=keys/deploy
ansible_ssh_common_args='-o ProxyJump=ops@gate:2222,second.example'
cluster_name=west
key_name=warm
public_url=http://203.0.113.9:8000
account_pubkey=PLACEHOLDER_PUBKEY
hf_home=/data/models
"""


def test_the_usual_features(here: Path, cli: Command) -> None:
    addresses = "[more]\nml01 ansible_host=10.0.0.11\nml02 ansible_host=10.0.0.12\n"

    ran = cli("import", put(USUAL + addresses), "-o", "desired")

    assert ran.status == 0, ran.err
    made = in_yaml(here / "desired/west.yaml")
    assert made["ssh"] == {
        "key": str(here / "keys/deploy"),
        "proxy_jump": ["ops@10.0.0.1:2222", "second.example"],
    }
    assert made["hosts"] == {
        "gate": {"address": "10.0.0.1", "role": "network", "model": SMALL, "user": "deploy", "port": 2222},
        "ml01": {"address": "10.0.0.11", "role": "ml", "model": LARGE, "user": "other"},
        "ml02": {"address": "10.0.0.12", "role": "ml", "model": LARGE, "user": "other"},
        "west-ml-03": {"address": "10.0.0.9", "role": "ml", "model": SMALL, "user": "deploy"},
    }
    assert made["network"]["public_host"] == "203.0.113.9"
    assert made["network"]["ml_key_name"] == "warm"
    assert made["network"]["account"]["pubkey"] == {"env": "GONKA_ACCOUNT_PUBKEY_WEST"}
    assert "inventory.ini:15: account.pubkey: not taken over" in ran.err
    homes = {
        address.name for wish in wishes(here / "desired") for address in wish.resources if address.kind == "directory"
    }  # fmt: skip
    assert "/data/models" in homes


@pytest.mark.usefixtures("here")
def test_a_group_over_both_clusters_does_not_hide_them(cli: Command) -> None:
    merged = "[network_node:children]\ncluster1_network_node\ncluster2_network_node\n[ml_nodes:children]\ncluster1_ml_nodes\ncluster2_ml_nodes\n"

    assert cli("import", put(PLAN + merged), "-o", "desired").status == 0


@pytest.mark.usefixtures("here")
def test_clusters_as_groups_of_their_own(cli: Command) -> None:
    text = "[cluster7]\nn ansible_host=10.0.0.1\nm ansible_host=10.0.0.2\n[network_node]\nn\n[ml_nodes]\nm\n"

    assert "cluster: cluster7\n" in cli("import", put(text)).out


@pytest.mark.usefixtures("here")
def test_settings_may_come_from_ansible_cfg(cli: Command) -> None:
    inventory, _, config = PLAN.partition("# Ansible configuration")
    put(inventory)
    put(f"# {config}[some_plugin]\nflags: -H\n  -S\n", "ansible.cfg")

    without = cli("import", "inventory.ini", "--cluster", "cluster1")
    assert "ssh:" not in without.out
    assert "ansible.cfg: is not read unless you say --config ansible.cfg" in without.err
    given = cli("import", "inventory.ini", "--cluster", "cluster1", "--config", "ansible.cfg")
    assert "  key: ~/.ssh/gonka-deploy-key\n" in given.out
    assert "host_key_checking" in given.err
    assert (
        "no.cfg:2:1: expected NAME = VALUE"
        in cli("import", "inventory.ini", "--config", put(SMALLEST, "no.cfg")).err
    )


def test_what_ansible_would_read_beside_it_is_named(here: Path, cli: Command) -> None:
    (here / "group_vars").mkdir()

    assert "group_vars: is not read" in cli("import", put(SMALLEST)).err


SECRETS = """\
[all:vars]
keyring_password = "hunter2 is it"
ansible_password=hunter2
ansible_become_pass = hunter2
grafana_admin_password: hunter2
registry_token=hunter2
mirror=https://me:hunter2@mirror.example/
"""


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    "mistake",
    [
        "",
        "[oops]\nx keyring_password=hunter2\n",
        "[ml_nodes:vars]\nmnemonic hunter2\n",
        "[oops]\nkeyring_password:hunter2\n",
    ],
)
def test_no_secret_is_written_or_said(cli: Command, mistake: str) -> None:
    ran = cli("import", put(SMALLEST + SECRETS.replace("password:", "password =") + mistake))

    assert ran.status == (4 if mistake else 0)
    assert "hunter2" not in ran.out + ran.err
    if not mistake:
        assert "keyring_password: {env: GONKA_KEYRING_PASSWORD_CLUSTER1}" in ran.out
        assert "inventory.ini:6: keyring_password: a secret, and not copied" in ran.err
        assert "inventory.ini:9, 10: grafana_admin_password, registry_token: a secret" in ran.err


WRONG = {
    "inference_port=5000": "#18", "hf_home=/opt/huggingface/cache": "#45", "host_key_checking=False": "#65",
    "network_node_ip=cluster1-network": "#11", "gonka_deploy_dir=/opt/gonka-deploy": "#1", "COMPOSE_PROJECT_NAME=x": "#40",
    "account_pubkey=PLACEHOLDER_PUBKEY": "#9", "ansible_ssh_common_args='-o StrictHostKeyChecking=no'": "#65",
    "seed_node_rpc_url=http://node2.gonka.ai:26657": "#67", "model_list=[]": "#48",
}  # fmt: skip


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("line", "row"), WRONG.items())
def test_what_the_plan_has_wrong_is_not_taken_over(cli: Command, line: str, row: str) -> None:
    ran = cli("import", put(f"{SMALLEST}[all:vars]\n{line}\n"))

    assert ran.status == 0
    assert ran.out == cli("import", put(SMALLEST)).out
    assert [said for said in ran.err.splitlines() if "inventory.ini:6:" in said and f"{row}" in said]
    assert row in (ROOT / "docs/deviations.md").read_text()


@pytest.mark.usefixtures("here")
def test_what_is_not_known_is_listed_with_its_lines(cli: Command) -> None:
    ran = cli("import", put(f"{SMALLEST}k rack=a ansible_host=10.0.0.3\n[all:vars]\nrack=b\nowner=me\n"))

    assert "inventory.ini:5, 7, 8: rack, owner: not taken over: not known here" in ran.err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALLEST.replace("10.0.0.2", "10.0.0.1"), "inventory.ini:4:1: 10.0.0.1 is already in line 2, the address of n"),
        (SMALLEST.replace("ml_nodes", "mlnodes"), "inventory.ini:3:1: m: [cluster1_mlnodes] says no role"),
        (SMALLEST.replace("10.0.0.2", "192.168.1.300"), "inventory.ini:4:1: '192.168.1.300' is no IPv4 address"),
        (SMALLEST.replace(" ansible_host=10.0.0.2", ""), "inventory.ini:4:1: expected an IP address, found a name"),
        (SMALLEST + "[network_node]\nm\n", "inventory.ini:4:1: m is a network node by one group and an ML node by another"),
        (SMALLEST.replace("ml_nodes", "network_node"), "inventory.ini:4:1: cluster1 has two network nodes: n (line 2) and m"),
        (SMALLEST.partition("[cluster1_ml")[0].replace("network_node", "ml_nodes"), "inventory.ini:2:1: cluster1 has ML nodes and no network"),
        (SMALLEST + "[cluster2_ml_nodes]\nm\n", "m is in several clusters: cluster1, cluster2"),
        (SMALLEST.replace("10.0.0.2", "10.0.0.2 model=Qwen4"), "inventory.ini:4:1: there is no model 'Qwen4' in shared.yaml"),
        (SMALLEST.replace("10.0.0.2", "'{{ ip }}'"), "inventory.ini:4:1: ansible_host is a template of Ansible's"),
        (SMALLEST.replace("10.0.0.2", "10.0.0.2 ansible_port=0"), "inventory.ini:4:1: '0' is no port"),
        (SMALLEST.replace("10.0.0.2", "10.0.0.2 ansible_user=Me"), "inventory.ini:4:1: 'Me' is no user's name"),
        (SMALLEST + "N ansible_host=10.0.0.3\n", "inventory.ini:5:1: N would be called n, as n is already"),
        (SMALLEST + "k ansible_host=10.0.0.3 ansible_ssh_common_args='-o ProxyCommand=\"nc %h %p\"'\n", "inventory.ini:5:1: the jump host in"),
        (SMALLEST + "k ansible_host=10.0.0.3 hf_home=/a\nj ansible_host=10.0.0.4 hf_home=/b\n", "inventory.ini:6:1: hf_home differs"),
        ("", "inventory.ini: names no host of a cluster"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused_with_its_line(cli: Command, text: str, said: str) -> None:
    ran = cli("import", put(text))

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.usefixtures("here")
def test_all_mistakes_are_told_at_once_and_nothing_that_only_follows(cli: Command) -> None:
    text = (
        PLAN.replace("1.103", "1.102")
        .replace("1.104", "1.1040")
        .replace("network ansible_host=", "network ansible_host = ")
    )

    ran = cli("import", put(text))

    assert ran.status == 4
    assert [line.split(":")[2] for line in ran.err.splitlines() if line.startswith("error:")] == [
        "4",
        "9",
        "10",
        "19",
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give an INVENTORY.ini, or --ips FILE"),
        (("inventory.ini", "--ips", "x"), "give an INVENTORY.ini, or --ips FILE"),
        (("inventory.in",), "inventory.in: cannot be read: No such file"),
        (("desired",), "desired: is a directory"),
        (("inventory.ini", "--cluster", "cluster3"), "there is no cluster 'cluster3'; there are cluster1, cluster2"),
        (("inventory.ini", "--cluster", "One"), "cannot be a cluster's name"),
        (("--ips", "x", "--config", "y"), "--config belongs to an inventory"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_refused(cli: Command, arguments: tuple[str, ...], said: str) -> None:
    ran = cli("import", *arguments)

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err


@pytest.mark.parametrize(
    ("jump", "made"),
    [
        ("-J gate", ["gate"]),
        ("-Jops@gate.example", ["ops@gate.example"]),
        ("-C -o ControlPersist=60s -o 'ProxyJump ssh://a@b:22,c'", ["a@b:22", "c"]),
        ("-oProxyCommand='ssh -W %h:%p -q -p 2200 ops@b'", ["ops@b:2200"]),
        ('-o ProxyCommand="ssh ops@b -W %h:%p"', ["ops@b"]),
        ("-o ProxyJump=none", []),
        ("-o ProxyJump=n", ["n"]),
    ],
)
@pytest.mark.usefixtures("here")
def test_ways_through_other_hosts(cli: Command, jump: str, made: list[str]) -> None:
    ran = cli("import", put(f"{SMALLEST}[all:vars]\nansible_ssh_common_args = {jump}\n"))

    assert ran.status == 0, ran.err
    assert YAML(typ="safe", pure=True).load(ran.out)["ssh"] == {"proxy_jump": made}


@pytest.mark.usefixtures("here")
def test_a_comment_that_names_no_model_of_ours_sets_none(cli: Command) -> None:
    ran = cli("import", put(SMALLEST.replace("0.2\n", "0.2 # rack 7, QwQ-32B\n")))

    assert "m: {address: 10.0.0.2, role: ml}" in ran.out
    assert "inventory.ini:4: no model is set: its comment says QwQ-32B" in ran.err


ADDRESSES = "# six servers\n192.0.2.1\n\n192.0.2.2  # the first ML node\nbig=192.0.2.3\n192.0.2.4 spare\n192.0.2.5\n192.0.2.6\n192.0.2.7\n"


def test_a_list_of_addresses_becomes_a_cluster(here: Path, cli: Command) -> None:
    ran = cli("import", "--ips", put(ADDRESSES, "ips"), "--cluster", "east", "-o", "desired")

    assert ran.status == 0, ran.err
    assert cli("validate").status == 0
    hosts = in_yaml(here / "desired/east.yaml")["hosts"]
    assert {name: (host["address"], host["role"], host.get("model")) for name, host in hosts.items()} == {
        "east-network": ("192.0.2.1", "network", SMALL),
        "east-ml-01": ("192.0.2.2", "ml", LARGE),
        "big": ("192.0.2.3", "ml", LARGE),
        "spare": ("192.0.2.4", "ml", LARGE),
        "east-ml-04": ("192.0.2.5", "ml", LARGE),
        "east-ml-05": ("192.0.2.6", "ml", SMALL),
        "east-ml-06": ("192.0.2.7", "ml", None),
    }
    assert "ips:9: names no model, and the plan has none for it" in ran.err


@pytest.mark.usefixtures("here")
def test_the_plans_addresses_alone_are_the_plans_cluster(cli: Command) -> None:
    addresses = put("".join(f"192.168.1.{number}\n" for number in range(106, 112)), "ips")
    listed = cli("import", "--ips", addresses, "--cluster", "cluster2").out
    own = YAML(typ="safe", pure=True).load(ROOT / "desired/cluster2.yaml")

    assert YAML(typ="safe", pure=True).load(listed) == own
    assert "cluster: cluster1\n" in cli("import", "--ips", addresses).out


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.2.1\n192.0.2.1\n", "ips:2:1: 192.0.2.1 is already in line 1"),
        ("192.0.2.1\n2001:db8::1\n", "ips:2:1: '2001:db8::1' is no IPv4 address"),
        ("192.0.2.256\n", "ips:1:1: '192.0.2.256' is no IPv4 address"),
        ("192.0.2.01\n", "ips:1:1: '192.0.2.01' is no IPv4 address"),
        ("192.0.2.0/24\n", "ips:1:1: '192.0.2.0/24' is no IPv4 address"),
        ("192.0.2.1:22\n", "ips:1:1: '192.0.2.1:22' is no IPv4 address"),
        ("192.0.2.1, 192.0.2.2\n", "ips:1:1: '192.0.2.1,' is no IPv4 address"),
        ("192.0.2.1 192.0.2.2\n", "ips:1:1: expected one IP address in this line"),
        ("0.0.0.0\n", "ips:1:1: '0.0.0.0' is no IPv4 address"),
        ("gate.example\n", "ips:1:1: expected one IP address in this line"),
        ("Gate 192.0.2.1\n", "ips:1:1: 'Gate' cannot be a host's name"),
        ("a 192.0.2.1\na 192.0.2.2\n", "ips:2:1: a would be called a, as a is already"),
        ("cluster1-ml-01 192.0.2.1\n192.0.2.2\n", "ips:2:1: 192.0.2.2 would be called cluster1-ml-01"),
        ("# nothing\n", "ips: holds no address"),
    ],
)  # fmt: skip
def test_a_wrong_list_is_refused_with_its_line(cli: Command, text: str, said: str) -> None:
    ran = cli("import", "--ips", put(text, "ips"))

    assert (ran.status, ran.out) == (4, "")
    assert said in ran.err


words = st.sampled_from(
    [
        "n",
        "m",
        "M_2",
        "ml[1:3]",
        "10.0.0.[3:5]",
        "on",
        "1e3",
        "0x1",
        "null",
        "network",
        "ml",
        "any",
        "a.b",
        "[::5]:22",
        "7",
    ]
)
variables = st.sampled_from(
    ["ansible_user=null", "ansible_user=a", "ansible_port=22",
     "ansible_port=022", "ansible_ssh_private_key_file='a b'", "ansible_ssh_private_key_file=~nobody9/x", "ssh_key_path=#", "hf_home=/a/../b",
     "hf_home='/a: b'", "key_name=1", "public_host=::1", "public_url=https://x.example:8/y", "model=Qwen3-32B", "ansible_ssh_args='-J a,[::1]:2'",
     "ansible_ssh_args='-J a:99999'", "cluster_name=7", "cluster_name=c_d", "ansible_connection=local"]
)  # fmt: skip
hosts = st.lists(st.tuples(words, st.lists(variables, max_size=3)), min_size=1, max_size=4)


@settings(max_examples=80)
@given(found=hosts, prefix=st.sampled_from(["", "cluster1_", "a_b_", "7_"]))
def test_whatever_is_written_is_valid(
    found: list[tuple[str, list[str]]], prefix: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "written.ini"
    network, *ml = (
        " ".join([name, f"ansible_host=10.0.1.{at}", *said]) for at, (name, said) in enumerate(found)
    )
    path.write_text("\n".join([f"[{prefix}network_node]", network, f"[{prefix}ml_nodes]", *ml, ""]))
    made = Imported()
    with contextlib.suppress(InputError):
        made = from_inventory(path, None, "", (LARGE, SMALL))
    for name, file in made.clusters.items():
        check(as_yaml({**file, "extends": str(ROOT / "desired/shared.yaml")}), f"{name}.yaml")


def test_a_list_is_read_like_any_other_file(tmp_path: Path) -> None:
    path = tmp_path / "ips"
    path.write_bytes(b"\xef\xbb\xbf192.0.2.1\r\n192.0.2.2\r\n")

    assert list(from_addresses(path, "c", (LARGE, SMALL)).clusters["c"]["hosts"]) == ["c-network", "c-ml-01"]
