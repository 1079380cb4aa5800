"""`gonka-state doctor`: it hurts; what is wrong, and what do I do? Nothing that writes can be imported from here."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
import gevent

from gonka_state.cli.looking import look
from gonka_state.cli.options import cluster_options, options_of_some
from gonka_state.core.diagnosis import diagnosis_status
from gonka_state.core.report import ExitStatus, most_important
from gonka_state.engine.doctor import examine, further
from gonka_state.engine.select import full_name, no_hosts
from gonka_state.errors import InputError
from gonka_state.views.diagnosis import diagnosis_document, render_diagnosis

if TYPE_CHECKING:
    from pathlib import Path

    from gonka_state.cli.options import Options
    from gonka_state.core.desired import Desired
    from gonka_state.core.diagnosis import Diagnosis
    from gonka_state.resources.base import Resource


@click.command("doctor")
@cluster_options
@click.option("--host", "hosts", multiple=True, help="Only this host, and what is about it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md).")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when nothing known hurts.")
@click.option("-v", "--verbose", count=True, help="Also what was looked for in vain; each host's look.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def command(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Look for every known symptom of a sick cluster, in one look. Never changes a host.

    Each symptom that is found is told with what was seen, what it means, and what to do: a command of ours where
    one closes it. Exits 0 when nothing known hurts, 2 when something does, 3 when something could not be seen.

    PATHS are cluster files or directories; none means every cluster in ./desired. A word among them that is neither
    is a host, as with --host: gonka-state doctor ml-03
    """
    options, clusters = _meant(options_of_some(shared))
    jobs = [gevent.spawn(_cluster, options, desired) for desired in clusters]
    gevent.joinall(jobs, raise_error=True)
    found = [job.get() for job in jobs]
    status = most_important(map(diagnosis_status, found))
    if options.as_json:
        click.echo(diagnosis_document(found, status))
    elif not (options.quiet and status is ExitStatus.OK):
        every = bool(options.verbose)
        click.echo("\n\n".join(render_diagnosis(item, options.style(), every=every) for item in found))
    return status


def _meant(options: Options) -> tuple[Options, list[Desired[Resource]]]:
    """The options with the words that are hosts among the hosts, and the clusters of the others.

    Raises:
        InputError: every problem of the YAML, or a word is neither a path nor a host.
    """
    words = tuple(str(path) for path in options.paths if _no_path(path))
    paths = tuple(path for path in options.paths if not _no_path(path))
    options = replace(options, paths=paths)
    clusters = options.clusters()
    if wrong := no_hosts(clusters, words):
        raise InputError([f"{word}: no such file, and no such host{near}" for word, near in wrong.items()])
    return replace(options, hosts=(*options.hosts, *words)), clusters


def _no_path(path: Path) -> bool:
    return len(path.parts) == 1 and path.suffix not in {".yaml", ".yml"} and not path.exists()


def _cluster(options: Options, desired: Desired[Resource]) -> Diagnosis:
    started = time.monotonic()
    asked = further(desired)
    selected = options.select(desired)
    if selected is not None:
        names = {full_name(desired, host) for host in options.hosts}
        asked = {host: sections for host, sections in asked.items() if host in names}
    snapshot, compared = look(options, desired, asked)
    if selected is not None:
        part = {address: item for address, item in desired.resources.items() if address in selected}
        desired = replace(desired, resources=part)
    return examine(desired, snapshot, compared, asked, seconds=time.monotonic() - started)
