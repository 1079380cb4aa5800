"""The file that points a cluster's desired state at the lab: addresses, keys, repository and hub."""

from __future__ import annotations

import base64
import secrets
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from gonka_state.lab import operator
from gonka_state.lab.machine import release
from gonka_state.lab.records import private

if TYPE_CHECKING:
    from gonka_state.lab.paths import LabPaths
    from gonka_state.lab.spec import LabInfo, LabSpec

PACKAGES = ["ca-certificates", "git", "curl", "wget", "ufw", "python3-pip", "python3-venv"]
"""What hosts install. A compiler (`build-essential`) is large, and nothing here needs one."""
HF, HF_VERSION = "/opt/gonka-state/hf", "2.4.0"
"""Where the hub's client goes, and its version in tools.lock."""

# the generator of secp256k1: a valid public key for a lab without an account of its own
ACCOUNT = base64.b64encode(
    bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")
).decode()


def document(
    spec: LabSpec, info: LabInfo, paths: LabPaths, os_release: str, pubkey: str = ACCOUNT
) -> dict[str, object]:
    """The overlay as a value."""
    return {
        "cluster": spec.cluster,
        "lab": True,
        "ssh": {
            "user": spec.user,
            "key": str(paths.key),
            "known_hosts": str(paths.known_hosts),
            "port": 22,
            "proxy_jump": None,
        },
        "network": {
            "public_host": info.hosts[spec.entrance.name],
            "account": {"pubkey": pubkey, **({"keyring": str(paths.operator)} if spec.account else {})},
            "keyring_password": {"file": str(paths.keyring_password)},
            "warm_key": {"mnemonic_file": str(paths.warm_mnemonic)},
            "seed": {
                "api_url": info.seed_url,
                "rpc_url": f"{info.seed_url}/chain-rpc/",
                "p2p_url": f"tcp://{urlsplit(info.seed_url).hostname}:5000",
            },
            "rpc_servers": [f"{info.seed_url}/chain-rpc/"] * 2,
        },
        "repository": {"url": info.git_url, "ref": info.git_ref},
        "hub": {"endpoint": info.hub_url, "client": f"{HF}/bin/hf"},
        "requirements": _requirements(release(os_release)),
        "roles": {role: _role(info) for role in sorted({host.role for host in spec.hosts})},
        "hosts": {name: {"address": address} for name, address in info.hosts.items()},
    }


def _requirements(system: dict[str, str]) -> dict[str, object]:
    """What a lab host cannot have, asked for as it is."""
    return {
        "os": {"equals": f"{system.get('ID', '')} {system.get('VERSION_ID', '')}"},
        "docker": {"minimum": "20.10"},
        "cores": {"minimum": 1},
        "memory": {"minimum": "1GiB"},
        "memory-ratio": {"minimum": "0.001"},
        "disk-models": {"topic": "disk", "minimum": "1GiB"},
        "disk-size": {"minimum": "1GiB"},
        "disk-type": {"equals": "overlay"},
        "reach-registries": {"topic": "reach", "targets": ["http://ghcr.io/v2/"]},
    }


def _role(info: LabInfo) -> dict[str, object]:
    """What differs for all hosts of a role: they install from the lab alone."""
    hf = {"package": "huggingface_hub", "version": HF_VERSION, "path": HF}
    return {"packages": PACKAGES, "tools": {"hf": {**hf, "wheels": f"{info.packages_url}/wheels/"}}}


def write(spec: LabSpec, info: LabInfo, paths: LabPaths) -> None:
    """Write the overlay and the password it refers to, readable by their owner only, and the operator's side."""
    private(paths.keyring_password, secrets.token_urlsafe(24) + "\n")
    pubkey = operator.prepare(spec, paths) or ACCOUNT
    yaml = YAML()
    yaml.width = 10_000  # a long path stays on its line
    text = StringIO()
    yaml.dump(document(spec, info, paths, Path("/etc/os-release").read_text(), pubkey), text)
    private(paths.overlay, text.getvalue())
