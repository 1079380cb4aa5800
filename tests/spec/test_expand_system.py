"""The words for a host's system, and what they become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.address import Address
from gonka_state.engine.needs import edges
from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from tests.spec.test_expand import changed, names, resource

if TYPE_CHECKING:
    from collections.abc import Callable

OURS = {
    "python-tool", "service", "sysctl", "docker-daemon", "file-block", "authorized-keys", "binary",
}  # fmt: skip


def test_packages_are_a_list_or_a_map_and_a_list_takes_the_maps_place(read: Callable[..., Any]) -> None:
    words = {
        "ml": "packages: {git: {}, curl: {minimum: '7.81'}}",
        "host": "packages: {curl: {minimum: '8'}, wget: {}}",
    }
    merged = read(small=changed(**words))

    assert names(merged, "package") == ["git", "curl", "wget"]
    assert resource(merged, "ml-01/package:curl").minimum == "8"
    assert resource(merged, "ml-02/package:curl").minimum == "7.81"
    replaced = read(small=changed(ml=words["ml"], host="packages: [ufw]"))
    assert names(replaced, "package") == ["ufw"]


def test_every_word_becomes_its_kind(read: Callable[..., Any]) -> None:
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPlw69h2UqhJsPXkWxSibiQi2mgTlG2/I4ywr+DguqXI jane"
    desired = read(
        small=changed(
            host="tools: {hf: {package: huggingface_hub, version: 2.4.0, path: /opt/hf}},"
            " units: {docker: {running: true}}, sysctl: {net.core.somaxconn: '8192'},"
            " docker_daemon: {iptables: true, log-opts: {max-size: 1m}},"
            " blocks: {/etc/environment: {content: A=1}, /etc/x: {state: absent}},"
            f" authorized_keys: {{ubuntu: ['{key}']}}, binaries: {{/opt/b: {{sha256: '{'0' * 64}'}}}}"
        )
    )

    found = {
        address.local: declared.resource.attributes()
        for address, declared in desired.resources.items()
        if address.host == "ml-01" and address.kind in OURS
    }
    assert found == {
        "python-tool:hf": {"version": "2.4.0", "runs": True},
        "service:docker": {"running": True},
        "sysctl:net.core.somaxconn": {"value": "8192", "persistent": True},
        "docker-daemon:daemon.json": {
            "settings": {"iptables": True, "log-opts": {"max-size": "1m"}},
            "loaded": True,
        },
        "file-block:/etc/environment": {"content": "A=1"},
        "file-block:/etc/x": {"content": ""},
        "authorized-keys:ubuntu": {"keys": [key]},
        "binary:/opt/b": {"sha256": "0" * 64},
    }
    assert resource(desired, "ml-01/python-tool:hf").command == "/opt/hf/bin/hf"
    assert resource(desired, "ml-01/file-block:/etc/x").state == "absent"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("packages: [Git]", "Git"),
        ("packages: {git: {state: absent}}", "state"),
        ("tools: {hf: {package: x, version: '1', path: relative}}", "path"),
        ("sysctl: {net.core.somaxconn: 8192}", "somaxconn"),
        ("docker_daemon: {proxies: {http-proxy: 'http://u:p@h:1'}}", "holds a password"),
        ("authorized_keys: {ubuntu: ['ssh-ed25519 AAAA']}", "authorized"),
        ("binaries: {/b: {sha256: abc}}", "sha256"),
        ("units: {docker: {restarted: true}}", "restarted"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(read: Callable[..., Any], words: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(small=changed(host=words))


def test_models_come_after_the_tool_that_fetches_them(read: Callable[..., Any]) -> None:
    tool = "tools: {hf: {package: huggingface_hub, version: 2.4.0, path: /opt/hf}}"
    desired = read(small=changed(ml=tool).replace("hub: {", "hub: {client: /opt/hf/bin/hf, "))

    needs = {edge.on.local for edge in edges(desired, KINDS)[Address("ml-01", "model", "Qwen/Big")]}

    assert "python-tool:hf" in needs
