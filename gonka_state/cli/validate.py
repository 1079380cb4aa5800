"""`gonka-state validate`: is the YAML right? No host is touched."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import cluster_options, options_of_some
from gonka_state.core.report import ExitStatus
from gonka_state.errors import InputError
from gonka_state.notify.receivers import receivers
from gonka_state.views import machine

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


@click.command("validate")
@cluster_options
@click.option("-q", "--quiet", is_flag=True, help="Print nothing when valid.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md).")
def command(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Check cluster files: every problem at once, with file, line and what to try.

    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_of_some(shared)
    clusters = options.clusters()
    if options.as_json:
        click.echo(machine.valid_document(clusters))
        return ExitStatus.OK
    for desired in clusters if not options.quiet else ():
        click.echo(
            f"{desired.cluster}: {len(desired.hosts)} hosts, {len(desired.resources)} resources, valid"
        )
        for missing in desired.missing:
            click.echo(f"  {missing}; what depends on it is unknown until it is set")
        for problem in _nobody_told(desired):
            click.echo(f"  {problem}; nobody is notified until then")
        for line in (line for item in desired.resources.values() for line in item.resource.told):
            click.echo(f"  {line}")
    return ExitStatus.OK


def _nobody_told(desired: Desired[Resource]) -> tuple[str, ...]:
    """Why nobody can be told of incidents."""
    try:
        if desired.notify is not None:
            receivers(desired.notify, os.environ)
    except InputError as error:
        return error.problems
    return ()
