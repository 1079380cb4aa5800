"""What the commands share that end in a checklist per cluster: options, all clusters at once, and the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click
import gevent

from gonka_state.cli.options import cluster_options
from gonka_state.core.checklist import checklist_status
from gonka_state.core.report import ExitStatus, most_important
from gonka_state.views.checklist import checklist_document, render_checklist

if TYPE_CHECKING:
    from collections.abc import Callable

    from gonka_state.cli.options import Options
    from gonka_state.core.checklist import Checklist
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

F = TypeVar("F", bound="Callable[..., Any]")


def checklist_options(function: F) -> F:
    """PATHs, overlays, and how to answer."""
    for decorate in (
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto"),
        click.option("-v", "--verbose", count=True, help="Show each host's look."),
        click.option("-q", "--quiet", is_flag=True, help="Only what is not ok."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md)."),
    ):
        function = decorate(function)
    return cluster_options(function)


def checked(options: Options, check: Callable[[Desired[Resource]], Checklist]) -> list[Checklist]:
    """Every cluster's checklist, in the order of the YAML; all clusters are looked at at once."""
    jobs = [gevent.spawn(check, desired) for desired in options.clusters()]
    gevent.joinall(jobs, raise_error=True)
    return [job.get() for job in jobs]


def tell(options: Options, found: list[Checklist]) -> ExitStatus:
    """Print the checklists in the form asked for; the status they end with."""
    status = most_important(checklist_status(item) for item in found)
    if options.as_json:
        click.echo(checklist_document(found, status))
    elif not (options.quiet and status is ExitStatus.OK):
        click.echo(
            "\n\n".join(render_checklist(item, options.style(), quiet=options.quiet) for item in found)
        )
    return status
