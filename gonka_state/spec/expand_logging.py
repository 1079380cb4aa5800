"""`logging:` of a host or role: limits of Docker's logs and of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.spec.drafts import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.spec.expand import Expansion
    from gonka_state.spec.host_words import Host
    from gonka_state.spec.tree import Node
    from gonka_state.spec.upkeep_words import DockerLogs, Journald

JOURNALD, DIRECTORY = "systemd-journald", "/etc/systemd/journald.conf.d"
FILE = f"{DIRECTORY}/50-gonka-state.conf"
_SETTINGS = ("log-driver", "log-opts")


def logging(expansion: Expansion, name: str, host: Host, node: Node) -> Iterator[Draft]:  # noqa: ARG001 (every expansion's signature)
    """The journal's limits: a file of ours, which journald reads when it starts."""
    words = host.logging
    if words is None or words.journald is None:
        return
    place = node.deepest(["logging", "journald"])
    yield Draft(name, "directory", {"name": DIRECTORY, "mode": "0755"}, place)
    data = {"name": FILE, "content": _journald(words.journald), "mode": "0644", "phase": 1}
    yield Draft(name, "file", data, place)
    yield Draft(name, "service", {"name": JOURNALD, "running": True, "restart_on": [FILE]}, place)


def daemon_settings(expansion: Expansion, host: Host, node: Node) -> dict[str, Any]:
    """Docker's settings: those written as they are, and the limits of logs; each is said in one place."""
    words = host.logging
    if words is None or words.docker is None:
        return host.docker_daemon
    for setting in _SETTINGS:
        if setting in host.docker_daemon:
            place = node.deepest(["docker_daemon", setting])
            what = f"{setting!r} is said by logging.docker already; say it there, or take logging.docker back"
            expansion.context.problems.add(place.where, what)
    return {**host.docker_daemon, **_docker(words.docker)}


def _docker(words: DockerLogs) -> dict[str, Any]:
    return {
        "log-driver": words.driver,
        "log-opts": {"max-size": words.max_size, "max-file": str(words.max_file)},
    }


def _journald(words: Journald) -> str:
    lines = ["# Written by gonka-state; changes made here are undone.", "[Journal]"]
    lines.append(f"SystemMaxUse={words.max_use}")
    if words.max_retention is not None:
        lines.append(f"MaxRetentionSec={words.max_retention}")
    return "".join(f"{line}\n" for line in lines)
