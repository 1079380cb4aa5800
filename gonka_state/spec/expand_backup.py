"""The words about the backup turned into what the network host needs for it."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from gonka_state.core.address import plain
from gonka_state.core.masking import placeholder
from gonka_state.core.units import parse_duration
from gonka_state.resources.restored_keys import KEYS
from gonka_state.spec import backup_units, onhost
from gonka_state.spec.chain_source import admin_project, own_address
from gonka_state.spec.drafts import Draft
from gonka_state.spec.expand_keys import service_of
from gonka_state.spec.host_words import NETWORK
from gonka_state.spec.references import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.backup_words import Backup
    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node

PROGRAM = "/opt/gonka-state/backup"
"""Where program, settings and secrets of the backup lie on the host; for root alone."""
DATABASE = ".dapi/gonka.db"
CONFIGURATION = (".inference/config/*.toml", ".dapi/api-config.yaml")
_SSH = re.compile(r"sftp:(?P<url>//)?(?P<login>[^/:]+)(?::(?P<port>\d+)(?=/))?[:/].*")


def backup(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001
    """Package, program, settings, secrets, timer; the backup itself, and whether lost keys are to be restored."""
    words, place = expansion.words.backup, expansion.tree.deepest(["backup"])
    if words is None or host.role != NETWORK:
        return
    directory = admin_project(host)
    if directory is None:
        expansion.context.problems.add(
            place.where, f"nothing to back up: no service of {name} answers the Admin API"
        )
        return
    if "restic" not in host.packages:
        yield Draft(name, "package", {"name": "restic"}, place)
    yield Draft(name, "directory", {"name": PROGRAM, "mode": "0700", "owner": "root"}, place)
    home = Path(onhost.__file__).parent
    for program in ("backup.py", "restore.py"):
        yield _file(name, f"{PROGRAM}/{program}", (home / program).read_text(encoding="utf-8"), place)
    settings = _settings(expansion, words, name, host, directory)
    yield _file(name, f"{PROGRAM}/settings.json", f"{json.dumps(settings, indent=1)}\n", place)
    yield from _secrets(expansion, words, name, place)
    seconds = parse_duration(words.every)
    for kind, text in (("service", backup_units.SERVICE), ("timer", backup_units.TIMER)):
        path = f"{backup_units.WHERE}/{backup_units.NAME}.{kind}"
        yield _file(name, path, text.format(home=PROGRAM, seconds=seconds), place, mode="0644")
    common = {"program": PROGRAM, "directory": directory, "services": tuple(settings["services"])}
    times = {"max_age": parse_duration(words.max_age), "check": settings["check"]}
    about = {"name": expansion.words.cluster, "repository": words.repository, **times}
    yield Draft(name, "backup", about | common, place)
    yield Draft(name, "restored-keys", _restored(expansion, directory) | common, place)


def _file(host: str, path: str, content: str, place: Node, *, mode: str = "0600", **more: Any) -> Draft:  # noqa: ANN401 (a resource's data)
    data = {"name": path, "content": content, "mode": mode, "owner": "root", "group": "root"}
    return Draft(host, "file", data | more, place)


def _settings(expansion: Expansion, words: Backup, name: str, host: Host, directory: str) -> dict[str, Any]:
    """What the program on the host is told; nothing of it is secret."""
    network = expansion.words.network
    node = network.chain_sync.container if network.chain_sync is not None else "node"
    project, directory = host.services[directory], plain(directory)
    files = [*host.env_files, *(path for path in host.files if not path.startswith(PROGRAM))]
    configuration = [path for path in files if Path(path).is_relative_to(directory)]
    keep = words.keep.model_dump(exclude_none=True)
    return {
        "cluster": expansion.words.cluster,
        "host": name,
        "tag": f"gonka-state-{expansion.words.cluster}",
        "repository": words.repository,
        "sftp_command": _sftp_command(words),
        "keep": [word for unit, number in keep.items() for word in (f"--keep-{unit}", str(number))],
        "check": parse_duration(words.check),
        "directory": directory,
        "paths": [
            *(f"{directory}/{path}" for path in (".inference/keyring-file", KEYS["node-key"], ".tmkms")),
            *(f"{directory}/{path}" for path in CONFIGURATION),
            *sorted(configuration),
        ],
        "database": f"{directory}/{DATABASE}",
        "keys": {what: f"{directory}/{path}" for what, path in KEYS.items()},
        "places": {
            "keyring": f"{directory}/.inference/keyring-file",
            "node-key": f"{directory}/{KEYS['node-key']}",
            "consensus-key": f"{directory}/.tmkms",
            "database": f"{directory}/{DATABASE}",
        },
        "node": node,
        "services": [
            service
            for service in ("tmkms", "node", service_of(host, directory))
            if service in project.services
        ],
        "seed_rpc": network.seed.rpc_url if network.seed else "",
    }


def _sftp_command(words: Backup) -> str:
    """How restic reaches an SFTP server with a key of its own; empty where root's own SSH does."""
    found = _SSH.fullmatch(words.repository)
    if found is None or (words.ssh_key is None and words.known_hosts is None):
        return ""
    command = ["ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15"]
    if words.ssh_key is not None:
        command += ["-i", f"{PROGRAM}/ssh_key", "-o", "IdentitiesOnly=yes"]
    if words.known_hosts is not None:
        command += ["-o", f"UserKnownHostsFile={PROGRAM}/known_hosts", "-o", "StrictHostKeyChecking=yes"]
    if found["url"] and found["port"]:
        command += ["-p", found["port"]]
    return shlex.join([*command, found["login"], "-s", "sftp"])


def _secrets(expansion: Expansion, words: Backup, host: str, place: Node) -> Iterator[Draft]:
    """Up to three files for root alone; each waits as a whole for a value that is not there."""
    nodes = {"RESTIC_PASSWORD": place.deepest(["password"])}
    nodes |= {key: place.deepest(["environment", key]) for key in words.environment}
    yield _secret(expansion, host, "environment", {f"{key}=": node for key, node in nodes.items()}, place)
    for word in ("ssh_key", "known_hosts"):
        if getattr(words, word) is not None:
            yield _secret(expansion, host, word, {"": place.deepest([word])}, place)


def _secret(expansion: Expansion, host: str, name: str, values: dict[str, Node], place: Node) -> Draft:
    """A file of secrets, a line per value after what it begins with."""
    content, secrets, path = "", {}, f"{PROGRAM}/{name}"
    for start, node in values.items():
        found = expansion.context.references.value(node, secret=True)
        if isinstance(found, Withheld):
            return Draft(host, "file", {"name": path}, place, found.reason)
        secret = found if isinstance(found, SecretStr) else SecretStr(found)
        if start and not secret.get_secret_value().isprintable():
            expansion.context.problems.add(node.where, f"{start.rstrip('=')} has to be one line")
        key = f"backup.{start.rstrip('=') or name}"
        secrets[key] = secret
        content += f"{start}{placeholder(key)}\n"
    return _file(host, path, content, place, secrets=secrets)


def _restored(expansion: Expansion, directory: str) -> dict[str, Any]:
    seed = expansion.words.network.seed
    return {
        "name": directory,
        "file": expansion.file,
        "account": own_address(expansion.context.pubkey),
        "seed_api": seed.api_url if seed else "",
    }
