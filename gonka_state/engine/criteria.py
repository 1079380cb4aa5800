"""The plan's success criteria as named checks: what one look at a cluster proves, host by host.

Every kind belongs to one criterion, so that a cause shows as one red line. A criterion is met while nothing it
stands on differs; what only warns there makes it a warning, and so does what follows from another red line (a port
that answers because its rule is gone); what could not be seen makes it unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.checklist import Check, Checklist, HostChecks, Verdict
from gonka_state.engine import criteria_backup
from gonka_state.engine.criteria_nodes import node_checks
from gonka_state.engine.told import advice, judged, listed, reasons, unseen
from gonka_state.facts import docker_daemon, public_api
from gonka_state.resources.docker_daemon import DockerDaemonResource
from gonka_state.resources.node import NodeResource
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gonka_state.core.change import Change
    from gonka_state.core.desired import Desired
    from gonka_state.core.observation import Note
    from gonka_state.engine.compare import Compared
    from gonka_state.facts.snapshot import Snapshot
    from gonka_state.resources.base import Resource

CRITERIA: Mapping[str, Collection[str]] = {
    "requirements": {"requirement"},
    "disk": {"requirement disk", "requirement disk-size", "requirement disk-type"},
    "GPUs": {"requirement gpus", "requirement gpu-model", "requirement cuda", "requirement nvidia-runtime"},
    "system": {
        "package", "python-tool", "service", "sysctl", "docker-daemon", "file-block", "authorized-keys", "binary",
    },
    "firewall": {"firewall", "firewall-rule", "container-port"},
    "exposure": {"exposure"},
    "repository": {"repository"},
    "configuration": {"directory", "file", "env-file"},
    "models": {"model"},
    "images": {"compose-images"},
    "containers": {"compose-service"},
    "keys": {"account", "keyring", "warm-key"},
    "backup": {"backup", "restored-keys"},
    "block sync": {"chain-sync"},
    "registration": {"registration"},
    "grants": {"grants"},
    "setup report": {"setup-report"},
    "nodes": {"node"},
}  # fmt: skip
"""The criteria in the order they are told, and the kinds each stands on; a requirement's topic may have its own."""

RUNS = "compose-service"


def criterion_of(resource: Resource) -> str:
    """The criterion that a resource belongs to.

    Raises:
        KeyError: its kind belongs to none.
    """
    words = {resource.kind}
    if isinstance(resource, RequirementResource):
        words = {f"{resource.kind} {resource.topic}"}
        if not any(words & set(kinds) for kinds in CRITERIA.values()):
            words = {resource.kind}
    for name, kinds in CRITERIA.items():
        if words & set(kinds):
            return name
    raise KeyError(resource.kind)


def verify(
    desired: Desired[Resource], snapshot: Snapshot, compared: Compared, *, seconds: float
) -> Checklist:
    """The checks of every host on which something is declared, in the order of the YAML."""
    hosts, mine = [], {address.host for address in desired.resources}
    nodes = {address.name for address in desired.resources if address.kind == NodeResource.kind}
    follows = nodes_of_red_hosts(desired, snapshot, compared)
    for name, login in desired.hosts.items():
        look = snapshot.hosts.get(name)
        if look is None or name not in mine:
            continue
        checks = [_connection(look.unknown, look.hint, look.seconds)]
        if not look.unknown:
            checks += _criteria(desired, compared, name)
            if desired.chain is not None and desired.chain.host == name:
                checks += _public_api(snapshot, name)
            checks += criteria_backup.checks(desired, compared, look, name)
            here = [note for note in compared.plan.notes if note.host == name]
            checks += _logs(here)
            checks += node_checks([note for note in here if note.name in nodes], desired.limits, follows)
        hosts.append(HostChecks(name, login.address, tuple(checks), reached=not look.unknown))
    return Checklist(desired.cluster, desired.lab, tuple(hosts), seconds, "verify", Verdict.FAILED)


def nodes_of_red_hosts(desired: Desired[Resource], snapshot: Snapshot, compared: Compared) -> set[str]:
    """Nodes on hosts that gave no answer, or whose containers are not as declared."""
    red = {
        address.host
        for address, change in compared.changes.items()
        if change.pending and address.kind == RUNS
    }
    red |= {name for name, look in snapshot.hosts.items() if look.unknown}
    nodes = [item.resource for item in desired.resources.values() if isinstance(item.resource, NodeResource)]
    return {node.name for node in nodes if node.about in red}


def _connection(unknown: str, hint: str, seconds: float) -> Check:
    if unknown:
        return Check("connection", Verdict.UNKNOWN, unknown, hint)
    return Check("connection", Verdict.OK, f"looked in {seconds:.1f} s")


def _criteria(desired: Desired[Resource], compared: Compared, host: str) -> list[Check]:
    found: dict[str, list[Change]] = {}
    for resource, change in judged(desired, compared, host):
        found.setdefault(criterion_of(resource), []).append(change)
    return [_check(name, found[name], desired, host) for name in CRITERIA if name in found]


def _check(name: str, changes: list[Change], desired: Desired[Resource], host: str) -> Check:
    failed = [change for change in changes if change.pending]
    if failed:
        return Check(name, Verdict.FAILED, listed(failed), advice(failed, desired, host))
    unknown = unseen(changes)
    if unknown:
        return Check(name, Verdict.UNKNOWN, *reasons(unknown))
    warned = [change for change in changes if change.warning and change.action is not Action.NONE]
    maintained = {change.maintenance for change in changes if change.maintenance}
    if warned or maintained:
        told = [*([listed(warned)] if warned else []), *sorted(maintained)]
        return Check(name, Verdict.WARN, "; ".join(told), advice(warned, desired, host))
    return Check(name, Verdict.OK, f"{len(changes)} as declared" if len(changes) > 1 else "as declared")


def _logs(notes: Iterable[Note]) -> Iterable[Check]:
    """Containers that Docker's new log settings do not reach."""
    for note in notes:
        if (note.kind, note.name) == (DockerDaemonResource.kind, docker_daemon.LOGS):
            hint = (
                "a container takes them over when it is made anew; on this host, in a safe phase:\n"
                "docker compose up -d --no-deps --force-recreate SERVICE"
            )
            yield Check("container logs", Verdict.WARN, note.text, hint)


def _public_api(snapshot: Snapshot, host: str) -> Iterable[Check]:
    """The API's own answers on the network host."""
    answers = public_api.read(snapshot.hosts.get(host))
    if isinstance(answers, str):
        yield Check("public API", Verdict.UNKNOWN, answers)
        return
    bad = [f"{one.path} {one.problem}" for one in answers if one.problem]
    if bad:
        yield Check(
            "public API",
            Verdict.FAILED,
            "; ".join(bad),
            "docker logs --tail 50 api, on this host; it answers once its chain node does",
        )
        return
    yield Check("public API", Verdict.OK, " and ".join(one.path for one in answers) + " answer")
