"""The checklist before a deployment, from one look: the way to each host, and every requirement of it."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gonka_state.core.address import Address
from gonka_state.core.change import Action
from gonka_state.core.checklist import Check, Checklist, HostChecks, Verdict
from gonka_state.core.desired import Declared
from gonka_state.core.observation import Present, Unknown
from gonka_state.engine import known_hosts
from gonka_state.errors import InputError
from gonka_state.resources.requirement import RequirementResource

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired, Login
    from gonka_state.engine.compare import Compared
    from gonka_state.facts.snapshot import HostLook, Snapshot
    from gonka_state.resources.base import Resource

ALWAYS = (
    RequirementResource(name="sudo", topic="sudo", equals=True),
    RequirementResource(name="time", topic="time", at_most=5.0),
)
"""Checked on every host, declared or not."""

KIND = RequirementResource.kind
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of the hosts (requirements alone), and what it is judged by (all that is declared)."""

    asked: Desired[Resource]
    judged: Desired[Resource]

    @property
    def addresses(self) -> frozenset[Address]:
        """Every requirement."""
        return frozenset(self.asked.resources)


def wish(desired: Desired[Resource]) -> Wish:
    """A cluster's requirements, with those that are always checked."""
    mine = {a: d for a, d in desired.resources.items() if a.kind == KIND}
    for host in desired.hosts:
        here = [d.resource for a, d in mine.items() if a.host == host]
        topics = {resource.topic for resource in here if isinstance(resource, RequirementResource)}
        for resource in ALWAYS:
            address = Address(host, KIND, resource.name)
            if resource.topic not in topics and address not in mine:
                mine[address] = Declared(address, resource)
    return Wish(replace(desired, resources=mine), replace(desired, resources={**desired.resources, **mine}))


def checklist(wished: Wish, snapshot: Snapshot, compared: Compared, *, seconds: float) -> Checklist:
    """Every host's lines, in the order of the YAML."""
    desired = wished.asked
    hosts = []
    for name, login in desired.hosts.items():
        look = snapshot.hosts.get(name)
        if look is None:
            continue
        checks = [_connection(look, login), *_local(login)]
        if not look.unknown:
            checks += [
                _requirement(declared.resource, compared, address)
                for address, declared in desired.resources.items()
                if address.host == name and isinstance(declared.resource, RequirementResource)
            ]
        hosts.append(HostChecks(name, login.address, tuple(checks), reached=not look.unknown))
    return Checklist(desired.cluster, desired.lab, tuple(hosts), seconds)


def _connection(look: HostLook, login: Login) -> Check:
    if look.unknown:
        return Check("connection", Verdict.UNKNOWN, look.unknown, look.hint)
    way = "".join(f", through {hop.address}" for hop in login.via)
    return Check("connection", Verdict.OK, f"{login.user}@{login.address} in {look.seconds:.1f} s{way}")


def _local(login: Login) -> list[Check]:
    """What this machine has for a host and its jump hosts: private keys, pinned host keys."""
    ways = (*login.via, login)
    keys = [_key(path) for path in dict.fromkeys(way.key for way in ways)]
    return [*keys, *(_pinned(way, jump=way is not login) for way in ways)]


def _key(path: str) -> Check:
    name = "private key"
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        return Check(name, Verdict.BLOCKED, f"{path}: {error.strerror}", "set ssh.key in the cluster's YAML")
    if not stat.S_ISREG(mode) or not os.access(path, os.R_OK):
        evidence = f"{path} {'cannot be read' if stat.S_ISREG(mode) else 'is no file'}"
        return Check(name, Verdict.BLOCKED, evidence, f"whose is it? ls -ld {path}")
    if mode & OTHERS:
        evidence = f"{path} has mode {stat.S_IMODE(mode):04o}: others may read it"
        return Check(name, Verdict.BLOCKED, evidence, f"on this machine:\nchmod 600 {path}")
    return Check(name, Verdict.OK, f"{path}, mode {stat.S_IMODE(mode):04o}")


def _pinned(login: Login, *, jump: bool) -> Check:
    name = f"host key of {login.address}" if jump else "host key"
    try:
        keys = known_hosts.pinned(known_hosts.read(login.known_hosts), login.pinned_as)
    except InputError as error:
        return Check(name, Verdict.BLOCKED, error.message)
    if not keys:
        evidence = f"not pinned in {login.known_hosts}"
        return Check(
            name, Verdict.BLOCKED, evidence, "compare its fingerprint and pin it: gonka-state hosts trust"
        )
    return Check(name, Verdict.OK, ", ".join(key.fingerprint for key in keys.values()))


def _requirement(resource: RequirementResource, compared: Compared, address: Address) -> Check:
    seen, change = compared.observations[address], compared.changes[address]
    if isinstance(seen, Unknown) or not isinstance(seen, Present):
        return Check(resource.name, Verdict.UNKNOWN, seen.reason, seen.hint)
    if change.action is Action.NONE:
        found = seen.details.get("found", "")
        same = not found or found == resource.condition
        return Check(
            resource.name, Verdict.OK, resource.condition if same else f"{found} ({resource.condition})"
        )
    verdict = Verdict.WARN if resource.level == "warn" else Verdict.BLOCKED
    found = seen.attributes[resource.topic]
    waits = resource.blocks and change.blocks and verdict is Verdict.BLOCKED
    blocks = f"; {', '.join(resource.blocks)} waits" if waits else ""
    return Check(resource.name, verdict, f"{found}, wanted: {resource.condition}{blocks}", seen.hint)
