"""A diagnosis from one look: what has to be asked beside what is declared, and every symptom on every host."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gonka_state.core.diagnosis import Diagnosis, HostDiagnosis, Line
from gonka_state.engine.case import Case, Extra
from gonka_state.engine.criteria import nodes_of_red_hosts
from gonka_state.engine.symptoms import SYMPTOMS
from gonka_state.engine.symptoms_nodes import CALLBACK
from gonka_state.engine.told import judged
from gonka_state.facts import (
    cosmovisor,
    crashes,
    disk_use,
    kernel_log,
    participation,
    public_api,
    validator,
    ways,
)
from gonka_state.facts.base import Look
from gonka_state.facts.snapshot import Section
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.env_file import EnvFileResource
from gonka_state.resources.model import ModelResource
from gonka_state.resources.registration import RegistrationResource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared
    from gonka_state.facts.snapshot import HostLook, Snapshot
    from gonka_state.resources.base import Resource

CHAIN, API = "node", "api"
_SEED_P2P = "SEED_NODE_P2P_URL"


def further(desired: Desired[Resource]) -> dict[str, list[Section]]:
    """The sections that no kind reads, by host."""
    found = {host: list(_everywhere(desired, host)) for host in desired.hosts}
    network = _host_of_api(desired)
    if network is not None:
        found[network] += _network(desired, network)
        target = _variable(desired, network, CALLBACK)
        for host, sections in found.items():
            if target and host != network and sections:
                sections.append(_section(desired, ways.SECTION, ways.script([target])))
    return {host: sections for host, sections in found.items() if sections}


def _section(
    desired: Desired[Resource], name: str, body: str, deadline: int = 0, *, root: bool = True
) -> Section:
    return Section(name, body, max(deadline, desired.run.timeouts.section), root)


def _of(desired: Desired[Resource], host: str) -> list[Resource]:
    return [item.resource for address, item in desired.resources.items() if address.host == host]


def _everywhere(desired: Desired[Resource], host: str) -> Iterator[Section]:
    mine = _of(desired, host)
    services = [item for item in mine if isinstance(item, ComposeServiceResource)]
    if services:
        yield _section(desired, crashes.SECTION, crashes.script(), crashes.DEADLINE)
    if mine:
        yield _section(desired, kernel_log.SECTION, kernel_log.script())
        places = {item.directory for item in services} | {
            item.home for item in mine if isinstance(item, ModelResource)
        }
        body = disk_use.script(sorted(places), _homes(services))
        yield _section(desired, disk_use.SECTION, body, disk_use.DEADLINE)


def _homes(services: Collection[ComposeServiceResource]) -> list[str]:
    """The homes of a network host's two programs under cosmovisor: the chain node's, then the API's."""
    names = {CHAIN: ".inference", API: ".dapi"}
    return [
        str(PurePosixPath(item.directory) / names[name])
        for name in names
        for item in services
        if item.name == name
    ]


def _host_of_api(desired: Desired[Resource]) -> str | None:
    """The network host, where it is ours."""
    return next(
        (
            address.host
            for address, item in desired.resources.items()
            if isinstance(item.resource, ComposeServiceResource) and item.resource.name == API
        ),
        None,
    )


def _variable(desired: Desired[Resource], host: str, name: str) -> str:
    files = (item for item in _of(desired, host) if isinstance(item, EnvFileResource))
    return next((value for file in files if (value := file.variables.get(name))), "")


def _network(desired: Desired[Resource], host: str) -> Iterator[Section]:
    mine = _of(desired, host)
    homes = _homes([item for item in mine if isinstance(item, ComposeServiceResource)])
    yield _section(desired, cosmovisor.SECTION, cosmovisor.script(homes))
    source = desired.chain
    if source is not None and source.host == host:
        yield _section(desired, public_api.SECTION, public_api.script(source.apis[0], Look()), root=False)
    registration = next((item for item in mine if isinstance(item, RegistrationResource)), None)
    if registration is not None and source is not None:
        yield _section(desired, validator.SECTION, validator.script(registration.name, Look()))
        yield _section(desired, participation.SECTION, participation.script(source, Look()))
        targets = [
            f"{registration.seed_api.rstrip('/')}/v1/versions",
            f"{registration.seed_rpc.rstrip('/')}/status",
        ]
        peer = _variable(desired, host, _SEED_P2P)
        yield _section(desired, ways.SECTION, ways.script([*targets, *([peer] if peer else [])]))


def examine(
    desired: Desired[Resource],
    snapshot: Snapshot,
    compared: Compared,
    asked: Mapping[str, Sequence[Section]],
    *,
    seconds: float,
) -> Diagnosis:
    """Every symptom on every host on which something is declared, in the order of the YAML.

    `asked` are the further sections of the look. Of a host without any only what is declared is told: it is there
    for what is about another one.
    """
    mine = {address.host for address in desired.resources}
    follows = nodes_of_red_hosts(desired, snapshot, compared)
    found = []
    for name, login in desired.hosts.items():
        look = snapshot.hosts.get(name)
        if look is None or name not in mine:
            continue
        names = {section.name for section in asked.get(name, ())}
        seen = tuple(judged(desired, compared, name))
        case = Case(desired, login, look, compared, seen, _extra(look, names), follows)
        found.append(HostDiagnosis(name, login.address, tuple(_lines(case)), reached=not look.unknown))
    return Diagnosis(desired.cluster, desired.lab, tuple(found), seconds)


def _extra(look: HostLook, names: Collection[str]) -> Extra:
    def told(fact: str) -> HostLook | None:
        return look if fact in names else None

    return Extra(
        crashes=crashes.read(look) if told(crashes.SECTION) else None,
        kernel=kernel_log.read(look) if told(kernel_log.SECTION) else None,
        disk=disk_use.read(look) if told(disk_use.SECTION) else None,
        homes=cosmovisor.read(look) if told(cosmovisor.SECTION) else None,
        ways=ways.read(look) if told(ways.SECTION) else None,
        standing=validator.read(look) if told(validator.SECTION) else None,
        participation=participation.read(look) if told(participation.SECTION) else None,
        public=public_api.read(look) if told(public_api.SECTION) else None,
    )


def _lines(case: Case) -> Iterator[Line]:
    for symptom in SYMPTOMS[:1] if case.look.unknown else SYMPTOMS:
        finding = symptom.ask(case)
        if finding is not None:
            yield Line(symptom.name, symptom.asked, symptom.meaning, finding)
