"""Whether the repository really lists the snapshot that a host believes to be its last: asked by `verify` alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gonka_state.core.checklist import Check, Verdict
from gonka_state.core.observation import Present
from gonka_state.core.units import show_moment
from gonka_state.errors import FactError
from gonka_state.facts.backup import ASK_SECONDS, REPOSITORY, read_repository, repository_script
from gonka_state.facts.snapshot import Section, answer_of
from gonka_state.resources.backup import BackupResource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared
    from gonka_state.facts.snapshot import Answer, HostLook
    from gonka_state.resources.base import Resource

NAME = "backup repository"


def sections(desired: Desired[Resource]) -> dict[str, list[Section]]:
    """The question, for each host with a backup."""
    return {
        address.host: [
            Section(REPOSITORY, repository_script(item.resource.program), ASK_SECONDS + 20, root=True)
        ]
        for address, item in desired.resources.items()
        if isinstance(item.resource, BackupResource) and not item.withheld
    }


def checks(desired: Desired[Resource], compared: Compared, look: HostLook, host: str) -> Iterator[Check]:
    """One check, where a snapshot is believed to be there and somebody asked for it."""
    for address, seen in compared.observations.items():
        resource = desired.resources[address].resource if address in desired.resources else None
        if (
            address.host != host
            or not isinstance(resource, BackupResource)
            or REPOSITORY not in look.sections
        ):
            continue
        if not isinstance(seen, Present):
            continue  # the criterion of the backup itself says why
        listed = _listed(answer_of(look, REPOSITORY))
        if isinstance(listed, str):
            yield Check(NAME, Verdict.UNKNOWN, listed, f"can this host reach {resource.repository}?")
        else:
            yield _check(str(seen.details["snapshot"]), listed, resource, desired.file)


def _listed(answer: Answer) -> dict[str, dict[str, Any]] | str:
    """The snapshots by id, or why they are not known."""
    if answer.unknown:
        return answer.unknown
    try:
        return {item["id"]: item for item in read_repository(answer.text)}
    except FactError as error:
        return str(error)


def _check(wanted: str, listed: dict[str, dict[str, Any]], resource: BackupResource, file: str) -> Check:
    found = listed.get(wanted)
    if found is None:
        evidence = (
            f"{resource.repository} does not list snapshot {wanted}, only {', '.join(listed) or 'none'}"
        )
        return Check(NAME, Verdict.FAILED, evidence, f"gonka-state backup now {file}\ntakes another one")
    moment = show_moment(float(found["time"]))
    return Check(NAME, Verdict.OK, f"{len(listed)} snapshots, the last {wanted} of {moment}")
