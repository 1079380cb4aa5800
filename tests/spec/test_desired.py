"""The plan's two clusters, as the repository carries them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.core.masking import placeholder
from gonka_state.core.order import Edge
from gonka_state.engine.needs import check_needs, edges
from gonka_state.registry import KINDS
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

ROOT = Path(__file__).parents[2]
CLUSTER = ROOT / "desired" / "cluster2.yaml"
VALUES = {
    "GONKA_PUBLIC_HOST_CLUSTER2": "203.0.113.12",
    "GONKA_ACCOUNT_PUBKEY_CLUSTER2": "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY",
    "GONKA_KEYRING_PASSWORD_CLUSTER2": "correct-horse",
}
ML = [f"cluster2-ml-{number:02}" for number in range(1, 6)]
LARGE, SMALL = "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "Qwen/Qwen3-32B-FP8"
IN_CHECKOUT = "/opt/gonka/deploy/join/"


@pytest.fixture(scope="module")
def desired(models: Mapping[str, type[Resource]]) -> Desired[Resource]:
    return load([CLUSTER], models=models, env=VALUES)[0]


def found(desired: Desired[Resource], text: str) -> Any:  # noqa: ANN401  (a resource of any kind)
    return desired.resources[Address.parse(text)].resource


def test_six_hosts_with_the_plans_addresses(desired: Desired[Resource]) -> None:
    assert [(login.host, login.address, login.user) for login in desired.hosts.values()] == [
        ("cluster2-network", "192.168.1.106", "ubuntu"),
        *((name, f"192.168.1.{107 + number}", "ubuntu") for number, name in enumerate(ML)),
    ]
    assert not desired.lab


def test_the_first_cluster_is_the_second_with_other_names_and_addresses() -> None:
    text = CLUSTER.read_text()
    for number in range(6):
        text = text.replace(f"192.168.1.{106 + number}", f"192.168.1.{100 + number}")
    first = text.replace("cluster2", "cluster1").replace("CLUSTER2", "CLUSTER1")

    assert (CLUSTER.parent / "cluster1.yaml").read_text() == first


def test_every_kind_is_there_and_nothing_waits(desired: Desired[Resource]) -> None:
    kinds = Counter(address.kind for address in desired.resources)
    assert (
        kinds["node"] == kinds["model"] == kinds["repository"] == kinds["firewall"] == kinds["directory"] == 6
    )
    assert kinds["compose-service"] == 9 + 5 * 2
    assert not desired.missing
    assert not any(item.withheld for item in desired.resources.values())


def test_every_host_has_only_its_own_model(desired: Desired[Resource]) -> None:
    assert {address.host: address.name for address in desired.resources if address.kind == "model"} == {
        "cluster2-network": SMALL, **dict.fromkeys(ML[:4], LARGE), ML[4]: SMALL
    }  # fmt: skip


def test_nodes_are_registered_on_the_network_host(desired: Desired[Resource]) -> None:
    nodes = {a.name: item.resource.model_dump() for a, item in desired.resources.items() if a.kind == "node"}
    assert {
        name: (node["host"], node["inference_port"], node["poc_port"]) for name, node in nodes.items()
    } == {
        "network-node": ("inference", 5000, 8080),
        **{name: (f"192.168.1.{107 + number}", 5050, 8080) for number, name in enumerate(ML)},
    }
    args = ["--max-model-len", "240000", "--tensor-parallel-size", "4"]
    assert nodes[ML[0]]["models"] == {LARGE: {"args": args}}
    assert nodes[ML[4]]["models"] == {SMALL: {"args": []}}
    assert nodes[ML[0]]["about"] == ML[0]
    assert nodes[ML[0]]["needs"] == (
        f"{ML[0]}/compose-service:mlnode-308",
        f"{ML[0]}/compose-service:inference",
        "cluster2-network/compose-service:api",
    )


def test_who_may_reach_which_port(desired: Desired[Resource]) -> None:
    ports = {
        address.local: item.resource.model_dump()["sources"]
        for address, item in desired.resources.items()
        if address.kind in {"container-port", "firewall-rule"} and address.host in {"cluster2-network", ML[2]}
    }
    ml = ("192.168.1.107", "192.168.1.108/30")
    assert ports == {
        "container-port:5000/tcp": ("any",),
        "container-port:8000/tcp": ("any",),
        "container-port:9100/tcp": ("172.16.0.0/12", *ml),
        "container-port:9200/tcp": (),
        "container-port:26657/tcp": (),
        "container-port:5050/tcp": ("192.168.1.106",),
        "container-port:8080/tcp": ("192.168.1.106",),
        "firewall-rule:22/tcp": ("any",),
        "firewall-rule:80/tcp": ("any",),
        "firewall-rule:443/tcp": ("any",),
        "firewall-rule:5000/tcp": ("any",),
        "firewall-rule:8000/tcp": ("any",),
        "firewall-rule:9100/tcp": ("172.16.0.0/12", *ml),
    }
    for port in ("5050", "8080"):
        assert found(desired, f"cluster2-network/container-port:{port}/tcp").sources == ()


def test_every_port_that_containers_publish_must_be_free(desired: Desired[Resource]) -> None:
    network, ml = (found(desired, f"{host}/requirement:ports") for host in ("cluster2-network", ML[0]))

    values = found(desired, f"cluster2-network/env-file:{IN_CHECKOUT}config.env").variables
    assert network.ports == (f"{values['API_SSL_PORT']}/tcp",)
    assert ml.ports == ()
    assert network.blocks == ml.blocks == ("compose-service",)


def test_the_network_hosts_configuration(desired: Desired[Resource]) -> None:
    file = found(desired, f"cluster2-network/env-file:{IN_CHECKOUT}config.env")
    values = file.variables
    assert values["KEYRING_PASSWORD"] == placeholder("keyring_password")
    assert file.is_secret("KEYRING_PASSWORD")
    assert (file.mode, file.owner) == ("0600", "ubuntu")
    assert values["PUBLIC_URL"] == "http://203.0.113.12:8000"
    assert values["P2P_EXTERNAL_ADDRESS"] == "tcp://203.0.113.12:5000"
    assert values["DAPI_API__POC_CALLBACK_URL"] == "http://192.168.1.106:9100"
    assert values["NODE_CONFIG"] == "./gonka-state-node-config.json"
    assert values["ACCOUNT_PUBKEY"] == VALUES["GONKA_ACCOUNT_PUBKEY_CLUSTER2"]
    assert {"KEY_NAME", "KEYRING_BACKEND", "SEED_API_URL", "RPC_SERVER_URL_1", "API_PORT"} <= values.keys()
    assert {"COMPOSE_PROJECT_NAME", "TM_HOME"}.isdisjoint(values)


def test_the_checkout_and_our_files_in_it_are_the_login_users(
    models: Mapping[str, type[Resource]], tmp_path: Path
) -> None:
    overlay = tmp_path / "users.yaml"
    overlay.write_text(
        "cluster: cluster2\nssh: {user: deploy}\nhosts: {cluster2-ml-02: {user: root}, cluster2-ml-03: {env_files: "
        f"{{{IN_CHECKOUT}config.env: {{owner: keeper}}}}}}}}\n"
    )
    desired = load([CLUSTER], overlays=[overlay], models=models, env=VALUES)[0]
    whose = {
        (address.host, address.kind, item.resource.model_dump()["owner"])
        for address, item in desired.resources.items()
        if address.kind in {"repository", "file", "env-file"} and address.name.startswith("/opt/gonka")
    }

    assert whose == {
        (host, kind, user)
        for host, user in [*((host, "deploy") for host in desired.hosts if host != ML[1]), (ML[1], "root")]
        for kind in ("repository", "file", "env-file")
        if (host, kind) != (ML[2], "env-file")
    } | {(ML[2], "env-file", "keeper")}


def test_what_goes_together_on_a_host_is_no_circle(
    models: Mapping[str, type[Resource]], tmp_path: Path
) -> None:
    overlay = tmp_path / "gone.yaml"
    overlay.write_text(
        f"cluster: cluster2\nhosts: {{{ML[1]}: {{resources: [\n"
        "  {kind: compose-service, name: mlnode-310, directory: /opt/gonka/deploy/join, state: absent},\n"
        "  {kind: firewall-rule, port: '8081', from: any, state: absent}]}}\n"
    )

    check_needs(load([CLUSTER], overlays=[overlay], models=models, env=VALUES), KINDS)


def test_the_chains_data_and_what_only_seems_to_lie_in_the_checkout_keep_their_owners(
    models: Mapping[str, type[Resource]], tmp_path: Path
) -> None:
    overlay = tmp_path / "files.yaml"
    names = (f"{IN_CHECKOUT}.inference/config/app.toml", "/opt/gonka/../etc/motd")
    lines = [f"      {name}: {{mode: '0644'}}" for name in names]
    overlay.write_text("\n".join(["cluster: cluster2", "hosts:", f"  {ML[1]}:", "    files:", *lines]))
    desired = load([CLUSTER], overlays=[overlay], models=models, env=VALUES)[0]

    for name in names:
        file = found(desired, f"{ML[1]}/file:{name}")
        assert (file.owner, file.group) == (None, None)


def test_an_ml_host_gets_no_secret_and_nothing_but_what_it_needs(desired: Desired[Resource]) -> None:
    file = found(desired, f"{ML[0]}/env-file:{IN_CHECKOUT}config.env")
    assert file.variables == {
        "HF_HOME": "/mnt/shared", "PORT": "8080", "INFERENCE_PORT": "5050", "KEYRING_PASSWORD": None
    }  # fmt: skip
    lines = [line for line in file.layout.splitlines() if not line.startswith("#")]
    assert lines == ["export HF_HOME=/mnt/shared", "export PORT=8080", "export INFERENCE_PORT=5050"]
    assert not file.secrets


def test_the_first_starts_node_list(desired: Desired[Resource]) -> None:
    file = found(desired, f"cluster2-network/file:{IN_CHECKOUT}gonka-state-node-config.json")
    assert file.mode == "0600"
    assert json.loads(file.content) == [
        {
            "id": "network-node", "host": "inference", "inference_port": 5000, "poc_port": 8080,
            "max_concurrent": 500, "models": {SMALL: {"args": []}},
        }
    ]  # fmt: skip


def test_services_come_after_what_they_stand_on(desired: Desired[Resource]) -> None:
    assert found(desired, "cluster2-network/compose-service:api").needs == ("compose-service:node",)
    assert found(desired, f"{ML[0]}/compose-service:mlnode-308").needs == (f"model:{LARGE}",)


def test_cards_of_a_host_are_handed_over_by_number(
    models: Mapping[str, type[Resource]], tmp_path: Path
) -> None:
    overlay = tmp_path / "cards.yaml"
    overlay.write_text("cluster: cluster2\nhosts: {cluster2-ml-01: {gpus: [4, 5, 6, 7]}}\n")
    desired = load([CLUSTER], overlays=[overlay], models=models, env=VALUES)[0]
    name = f"file:{IN_CHECKOUT}gonka-state-override.yml"

    content = found(desired, f"{ML[0]}/{name}").content
    assert 'device_ids: ["4", "5", "6", "7"]' in content
    assert "device_ids" not in found(desired, f"{ML[1]}/{name}").content
    assert [found(desired, f"{host}/compose-service:mlnode-308").gpus for host in ML[:2]] == [4, "all"]


def test_what_phase_two_fetches_comes_with_the_files_that_name_it(desired: Desired[Resource]) -> None:
    phases = {
        address.local: item.resource.in_phase
        for address, item in desired.resources.items()
        if address.host == ML[0] and address.kind in {"file", "env-file", "compose-images", "model"}
    }

    assert phases == {
        f"file:{IN_CHECKOUT}gonka-state-override.yml": 2,
        "compose-images:/opt/gonka/deploy/join": 2,
        f"model:{LARGE}": 2,
        f"env-file:{IN_CHECKOUT}config.env": 3,
    }


def test_stored_models_count_as_free_space(desired: Desired[Resource]) -> None:
    assert found(desired, f"{ML[4]}/requirement:disk-models").counts == (
        "/mnt/shared/hub/models--Qwen--Qwen3-32B-FP8",
    )


def test_seeds_hold_back_a_first_start_and_a_registration(desired: Desired[Resource]) -> None:
    seeds = Address.parse("cluster2-network/requirement:reach-seeds")
    needed_by = {address.kind for address, needs in edges(desired, KINDS).items() if Edge(seeds) in needs}

    assert needed_by == {"compose-service", "registration"}
    assert found(desired, str(seeds)).until == f"{IN_CHECKOUT}.inference/config/node_key.json"


def test_a_node_is_first_registered_once_the_checks_pass(desired: Desired[Resource]) -> None:
    checks = Address.parse("cluster2-network/setup-report:block")
    waiting = {
        address for address, needs in edges(desired, KINDS).items() if Edge(checks, first=True) in needs
    }

    assert waiting == {address for address in desired.resources if address.kind == "node"}


def test_without_the_operators_values_only_what_needs_them_waits(
    models: Mapping[str, type[Resource]],
) -> None:
    desired = load([CLUSTER], models=models, env={})[0]
    held = [str(address) for address, item in desired.resources.items() if item.withheld]
    assert held == [
        f"cluster2-network/env-file:{IN_CHECKOUT}config.env",
        f"cluster2-network/keyring:{IN_CHECKOUT}.inference/keyring-file",
        "cluster2-network/registration:gonka-account-key-cluster2",
        "cluster2-network/grants:gonka-account-key-cluster2",
    ]
    assert [text.partition(" ")[0] for text in desired.missing] == list(VALUES)


def test_every_resource_knows_its_line(desired: Desired[Resource]) -> None:
    for item in desired.resources.values():
        assert item.source is not None
        assert Path(item.source.file).name in {"shared.yaml", "cluster2.yaml"}
        line = Path(item.source.file).read_text().splitlines()[item.source.line - 1]
        assert line.strip()


PROGRAM = """
import importlib, pkgutil, pathlib
import gonka_state.resources as kinds
from gonka_state.resources.base import Resource
from gonka_state.spec.load import load
for module in pkgutil.iter_modules(kinds.__path__): importlib.import_module("gonka_state.resources." + module.name)
models = {{kind.kind: kind for kind in Resource.__subclasses__()}}
found = load([pathlib.Path({path!r})], models=models, env={{}})
desired = next(one for one in found if one.cluster == "cluster2")
print(desired.cluster, len(desired.resources), desired.hosts["cluster2-network"].known_hosts)
"""


@pytest.mark.parametrize("path", [CLUSTER, CLUSTER.parent])
def test_it_loads_from_anywhere_with_an_empty_environment(
    path: Path, tmp_path: Path, desired: Desired[Resource]
) -> None:
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAM.format(path=str(path))}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout.split() == [
        "cluster2",
        str(len(desired.resources)),
        str(ROOT / "desired" / "known_hosts"),
    ]


@pytest.mark.skipif("LAB_OVERLAY" not in os.environ, reason="no lab is up")
def test_the_labs_overlay_fits(models: Mapping[str, type[Resource]]) -> None:
    desired = load([CLUSTER], overlays=[Path(os.environ["LAB_OVERLAY"])], models=models, env={})[0]
    assert desired.lab
    assert not desired.missing
