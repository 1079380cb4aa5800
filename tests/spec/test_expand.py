"""What the words of a cluster become on each host."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.engine.needs import edges
from gonka_state.errors import InputError
from gonka_state.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = (Path(__file__).parent / "small.yaml").read_text()
BIG_ARGS = ["--tensor-parallel-size", "4"]


def changed(**changes: str) -> str:
    """The small cluster with words added to a place: at the top, to a role, to a host."""
    places = {
        "top": ("cluster: small\n", "cluster: small\n{}\n"),
        "network": ("roles:\n  network:\n", "roles:\n  network:\n    {}\n"),
        "ml": ("  ml:\n", "  ml:\n    {}\n"),
        "host": ("ml-01: {address: 10.0.0.2,", "ml-01: {{{}, address: 10.0.0.2,"),
    }
    text = SMALL
    for place, words in changes.items():
        old, new = places[place]
        assert text.count(old) == 1
        text = text.replace(old, new.format(words))
    return text


def resource(desired: Any, text: str) -> Any:  # noqa: ANN401  (a resource of any kind)
    return desired.resources[Address.parse(text)].resource


def names(desired: Any, kind: str, host: str = "ml-01") -> list[str]:  # noqa: ANN401  (a wish)
    return [address.name for address in desired.resources if (address.host, address.kind) == (host, kind)]


def test_the_small_cluster(read: Callable[..., Any]) -> None:
    assert sorted(str(address) for address in read(small=SMALL).resources) == [
        "ml-01/compose-images:/opt/join",
        "ml-01/compose-service:mlnode",
        "ml-01/container-port:5050/tcp",
        "ml-01/model:Qwen/Big",
        "ml-02/compose-images:/opt/join",
        "ml-02/compose-service:mlnode",
        "ml-02/container-port:5050/tcp",
        "ml-02/model:Qwen/Big",
        "ml-02/model:Qwen/Small",
        "net/account:cold",
        "net/compose-images:/opt/join",
        "net/compose-service:api",
        "net/compose-service:mlnode",
        "net/firewall-rule:22/tcp",
        "net/firewall:ufw",
        "net/keyring:/opt/join/.inference/keyring-file",
        "net/model:Qwen/Small",
        "net/node:ml-01",
        "net/node:ml-02",
        "net/node:network-node",
        "net/warm-key:warm",
    ]


def test_a_slash_at_a_paths_end_means_nothing(read: Callable[..., Any]) -> None:
    text = changed(
        top="repository: {path: /opt/gonka/, url: 'https://h/g.git', ref: " + 40 * "a" + "}",
        network="directories: {/opt/gonka: {mode: '0755'}, /opt/gonka/more/: {mode: '0755'}}",
        host="resources: [{kind: directory, name: /a/}, {kind: file, name: /b, needs: ['directory:/a/']}]",
    )
    text = text.replace("/opt/join:", "/opt/join/:").replace("home: /mnt/shared", "home: /mnt/shared/")

    desired = read(small=text)

    assert resource(desired, "net/compose-service:api").directory == "/opt/join"
    assert resource(desired, "net/warm-key:warm").directory == "/opt/join"
    assert resource(desired, "ml-01/model:Qwen/Big").home == "/mnt/shared"
    assert {"compose-images:/opt/join", "keyring:/opt/join/.inference/keyring-file", "repository:/opt/gonka"} <= {
        address.local for address in desired.resources
    }  # fmt: skip
    assert not resource(desired, "net/directory:/opt/gonka").needs
    needs = edges(desired, KINDS)
    assert [str(edge.on) for edge in needs[Address.parse("ml-01/file:/b")]] == ["ml-01/directory:/a"]
    more = {str(edge.on) for edge in needs[Address.parse("net/directory:/opt/gonka/more")]}
    assert more == {"net/directory:/opt/gonka", "net/repository:/opt/gonka"}


def test_only_what_is_written_is_declared(read: Callable[..., Any]) -> None:
    assert resource(read(small=SMALL), "net/firewall:ufw").attributes() == {"enabled": True}


def test_a_hosts_words_lie_over_its_roles_and_these_over_the_clusters(read: Callable[..., Any]) -> None:
    text = changed(
        top="requirements: {cores: {minimum: 16}, docker: {minimum: '28.4'}, memory: {minimum: 64GB}}",
        ml="requirements: {cores: {minimum: 32, level: warn}, memory: null}",
        host="requirements: {cores: {equals: 8}}",
    )
    desired = read(small=text)
    assert names(desired, "requirement", "net") == ["cores", "docker", "memory"]
    assert names(desired, "requirement", "ml-01") == ["cores", "docker"]
    own, role = (resource(desired, f"{host}/requirement:cores") for host in ("ml-01", "ml-02"))
    assert (own.equals, own.minimum, own.level) == (8, None, "warn")
    assert (role.equals, role.minimum, role.level) == (None, 32, "warn")


def test_a_host_may_unset_what_its_role_has(read: Callable[..., Any]) -> None:
    desired = read(small=changed(host="node: null, container_ports: {5050/tcp: null}"))
    assert names(desired, "node", "net") == ["network-node", "ml-02"]
    assert names(desired, "container-port") == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("any", ("any",)),
        ("nobody", ()),
        ("[]", ()),
        ("ml", ("10.0.0.2/31",)),
        ("[net, 192.0.2.7]", ("10.0.0.1", "192.0.2.7")),
        ("[2001:db8::/32, network]", ("10.0.0.1", "2001:db8::/32")),
        ("{from: ml-02}", ("10.0.0.3",)),
    ],
)
def test_sources_are_names_of_the_cluster(
    sources: str, expected: tuple[str, ...], read: Callable[..., Any]
) -> None:
    text = SMALL.replace("{5050/tcp: network}", f"{{5050/tcp: {sources}}}")
    assert resource(read(small=text), "ml-01/container-port:5050/tcp").sources == expected


def test_a_rule_in_full(read: Callable[..., Any]) -> None:
    rule = "{60000:61000/udp: {from: net, action: limit, interface: eth0, comment: mosh, state: absent}}"
    desired = read(small=changed(ml=f"firewall: {{rules: {rule}}}"))
    found = resource(desired, "ml-01/firewall-rule:60000:61000/udp%eth0")
    assert found.model_dump(exclude={"name", "needs"}) == {
        "state": "absent", "port": "60000:61000", "protocol": "udp", "direction": "in", "interface": "eth0",
        "action": "limit", "sources": ("10.0.0.1",), "comment": "mosh",
    }  # fmt: skip
    assert names(desired, "firewall") == []


def test_nodes_need_what_serves_them_and_what_takes_the_registration(read: Callable[..., Any]) -> None:
    node = resource(read(small=SMALL), "net/node:ml-01")
    assert node.needs == ("ml-01/compose-service:mlnode", "net/compose-service:api")
    assert (node.subject, node.host, node.models) == ("ml-01", "10.0.0.2", {"Qwen/Big": {"args": BIG_ARGS}})


def test_with_the_network_node_elsewhere_there_are_no_nodes(read: Callable[..., Any]) -> None:
    text = SMALL.replace(
        "network:\n  public", "network:\n  managed: elsewhere\n  address: 192.0.2.1\n  public"
    )
    text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("  net:"))
    desired = read(small=text)
    assert not any(address.kind == "node" for address in desired.resources)
    assert resource(desired, "ml-01/container-port:5050/tcp").sources == ("192.0.2.1",)


def test_hosts_without_a_model_serve_nothing(read: Callable[..., Any]) -> None:
    text = SMALL.replace("role: ml, model: Qwen/Big}", "role: ml}")
    desired = read(small=text)
    assert names(desired, "model") == []
    assert "ml-01" not in names(desired, "node", "net")
    assert resource(desired, "ml-01/compose-service:mlnode").needs == ()


def test_raw_resources(read: Callable[..., Any]) -> None:
    raw = "resources: [{kind: directory, name: /a, needs: [\"net/model:Qwen/Small\"]}, {kind: firewall-rule, port: '53', from: any}]"
    desired = read(small=changed(host=raw))
    assert resource(desired, "ml-01/directory:/a").needs == ("net/model:Qwen/Small",)
    assert resource(desired, "ml-01/firewall-rule:53/tcp").sources == ("any",)
    assert str(desired.resources[Address("ml-01", "directory", "/a")].source) == "small.yaml:36"


def test_a_disk_requirement_counts_the_models_that_lie_there(read: Callable[..., Any]) -> None:
    text = changed(
        top="requirements: {a: {topic: disk, path: /mnt, minimum: 1GB}, b: {topic: disk, path: /var, minimum: 1}}"
    )
    desired = read(small=text)
    stored = tuple(f"/mnt/shared/hub/models--Qwen--{name}" for name in ("Big", "Small"))
    assert [resource(desired, f"ml-02/requirement:{name}").counts for name in "ab"] == [stored, ()]


def test_targets_follow_from_what_the_cluster_declares(read: Callable[..., Any]) -> None:
    top = "requirements: {r: {topic: reach, targets: [hosts, hub, 'tcp://10.9.9.9:22', repository]}}"
    desired = read(small=changed(top=top))
    others = [f"tcp://{login.address}:{login.port}" for name, login in desired.hosts.items() if name != "net"]
    targets = resource(desired, "net/requirement:r").targets
    assert targets[: len(others)] == tuple(others)
    assert targets[len(others) :] == (
        "https://huggingface.co",
        "tcp://10.9.9.9:22",
        *targets[len(others) + 2 :],
    )


def test_seeds_are_the_seed_node_and_the_rpc_servers(read: Callable[..., Any]) -> None:
    seed = "seed: {api_url: 'http://s:8000', rpc_url: 'http://s:8000/chain-rpc/', p2p_url: 'tcp://s:5000'}"
    text = changed(top="requirements: {r: {topic: reach, targets: seeds}}")
    assert resource(read(small=text), "net/requirement:r").targets == ()
    desired = read(small=text.replace("network:\n  public", f"network:\n  {seed}\n  public", 1))
    assert resource(desired, "net/requirement:r").targets == (
        "http://s:8000",
        "http://s:8000/chain-rpc/",
        "tcp://s:5000",
    )


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://git.example/x.git", ("https://git.example/x.git",)),
        ("git@git.example:x/y.git", ("tcp://git.example:22",)),
        ("ssh://git@git.example:2222/x", ("tcp://git.example:2222",)),
        ("git://[fd00::1]/x", ("tcp://[fd00::1]:9418",)),
        ("file:///srv/git/x.git", ()),
    ],
)
def test_a_repository_is_asked_where_git_asks_it(
    read: Callable[..., Any], url: str, target: tuple[str, ...]
) -> None:
    top = f"requirements: {{r: {{topic: reach, targets: repository}}}}\nrepository: {{url: '{url}', ref: {'a' * 40}, path: /opt/x}}"
    desired = read(small=changed(top=top))
    assert resource(desired, "net/requirement:r").targets == target


def test_reserved_words_are_read_and_change_nothing(read: Callable[..., Any]) -> None:
    plain = read(small=SMALL).resources
    noted = read(small=changed(host="maintenance: {until: 2026-12-01, reason: new GPUs}")).resources
    assert {address: item.resource for address, item in plain.items()} == {
        address: item.resource for address, item in noted.items()
    }


def test_order_of_entries_does_not_matter(read: Callable[..., Any]) -> None:
    lines = SMALL.splitlines(keepends=True)
    hosts = lines.index("hosts:\n")
    turned = "".join([*lines[: hosts + 1], *lines[hosts + 1 :][::-1]])
    one, other = read(small=SMALL).resources, read(small=turned).resources
    assert {address: item.resource for address, item in one.items()} == {
        address: item.resource for address, item in other.items()
    }


def test_a_repository_is_on_every_host(read: Callable[..., Any]) -> None:
    text = changed(
        top="repository: {url: http://a/b.git, ref: c0eb82898e3da8fb6dd017e3e6698a5e37b3a3e6, path: /opt/b}"
    )
    assert [a.host for a in read(small=text).resources if a.kind == "repository"] == ["net", "ml-01", "ml-02"]


def test_a_kind_that_nobody_knows_is_said_not_raised(
    tmp_path: Path, read: Callable[..., Any], models: dict[str, Any]
) -> None:
    from gonka_state.spec.load import load  # noqa: PLC0415  (the fixture hides its models)

    read(small=SMALL)
    with pytest.raises(InputError, match="no kind 'node'"):
        load([tmp_path / "small.yaml"], models={k: v for k, v in models.items() if k != "node"}, env={})


def test_images_are_wanted_for_present_services_and_kept_where_they_do_not_follow(
    read: Callable[..., Any],
) -> None:
    text = SMALL.replace(
        "admin: true}", "admin: true, image_follows: false}\n          gone: {state: absent}"
    )
    images = resource(read(small=text), "net/compose-images:/opt/join")

    assert (images.files, images.services, images.keeps) == (("a.yml",), ("api", "mlnode"), ("api",))


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("", "all"),
        ("gpus: [0, 1, 2, 3]", 4),
        ("services: {/opt/join: {services: {mlnode: {gpus: 6}}}}", 6),
        ("services: {/opt/join: {services: {mlnode: {gpus: any}}}}", None),
    ],
)
def test_cards_of_a_service_that_serves_models(read: Callable[..., Any], words: str, wanted: object) -> None:
    desired = read(small=changed(host=words) if words else SMALL)

    assert resource(desired, "ml-01/compose-service:mlnode").gpus == wanted
    assert resource(desired, "net/compose-service:api").gpus is None


@pytest.mark.parametrize("url", ["http://h/", "[http://h/, http://old/]"])
def test_a_url_or_several(read: Callable[..., Any], url: str) -> None:
    words = f"services: {{/opt/join: {{services: {{mlnode: {{url: {url}}}}}}}}}"

    found = resource(read(small=changed(host=words)), "ml-01/compose-service:mlnode").url
    assert found == tuple(url.strip("[]").split(", "))
