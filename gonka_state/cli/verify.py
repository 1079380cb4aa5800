"""`gonka-state verify`: is the deployed cluster well? Nothing that writes can be imported from here."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.checklists import checked, checklist_options, tell
from gonka_state.cli.looking import look
from gonka_state.cli.options import Options, options_of_some
from gonka_state.cli.writing import write_file
from gonka_state.engine import criteria_backup, criteria_performance
from gonka_state.engine.criteria import verify
from gonka_state.engine.observe import Observer
from gonka_state.engine.session import connect
from gonka_state.facts import public_api
from gonka_state.facts.base import Look
from gonka_state.facts.snapshot import Section
from gonka_state.registry import KINDS
from gonka_state.views.junit import render_checks

if TYPE_CHECKING:
    from gonka_state.core.checklist import Checklist, HostChecks
    from gonka_state.core.desired import Desired
    from gonka_state.engine.compare import Compared
    from gonka_state.resources.base import Resource


@click.command("verify")
@checklist_options
@click.option("--host", "hosts", multiple=True, help="Only this host, and what is about it.")
@click.option(
    "--performance",
    is_flag=True,
    help="Also ask each ML node for a real completion, and measure it by `limits`.",
)
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write this file, as JUnit's XML."
)
def command(*, performance: bool, junit: Path | None, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Check the deployment plan's success criteria, in one look. Never changes a host.

    Each check is named, tells what it saw and, where it failed, what to do. Exits 0 when all is well (warnings do
    not matter), 2 when a check failed, 3 when something could not be seen.

    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_of_some(shared)
    found = checked(options, partial(_cluster, options, performance=performance))
    status = tell(options, found)
    if junit is not None:
        write_file(junit, render_checks(found, time.time()), mode=0o644)
    return status


def _cluster(options: Options, desired: Desired[Resource], *, performance: bool) -> Checklist:
    started = time.monotonic()
    snapshot, compared = look(options, desired, _further(desired))
    selected = options.select(desired)
    if selected is not None:
        part = {address: item for address, item in desired.resources.items() if address in selected}
        desired = replace(desired, resources=part)
    found = verify(desired, snapshot, compared, seconds=time.monotonic() - started)
    source = desired.chain
    if not performance or source is None or source.host not in snapshot.hosts:
        return found
    hosts = tuple(
        _measured(options, desired, compared, host) if host.host == source.host and host.reached else host
        for host in found.hosts
    )
    return replace(found, hosts=hosts, seconds=time.monotonic() - started)


def _measured(
    options: Options, desired: Desired[Resource], compared: Compared, host: HostChecks
) -> HostChecks:
    """A host's checks and what its nodes answer, asked when the look no longer keeps the hosts busy."""
    section = criteria_performance.section(desired, compared.plan, host.host)
    if section is None:
        return host
    with connect({host.host: desired.hosts[host.host]}, desired.run, on_event=options.whisper) as session:
        said = Observer(session, desired, KINDS, options.whisper).ask(host.host, [section])
    further = criteria_performance.checks(desired, said, host.host)
    return replace(host, checks=(*host.checks, *further))


def _further(desired: Desired[Resource]) -> dict[str, list[Section]]:
    """The public API of the network host, where there is one of ours; and the repository of a backup."""
    source, found = desired.chain, criteria_backup.sections(desired)
    if source is None:
        return found
    script = public_api.script(source.apis[0], Look())
    section = Section(public_api.SECTION, script, desired.run.timeouts.section, root=False)
    return {**found, source.host: [section, *found.get(source.host, ())]}
