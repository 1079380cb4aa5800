"""`gonka-state logs`: what a service's container printed. Nothing that writes can be imported from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.on_host import as_root, find
from gonka_state.cli.options import options_of_some, path_options
from gonka_state.core.report import ExitStatus
from gonka_state.errors import GonkaStateError, InputError
from gonka_state.facts.base import quote
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

NO_CONTAINER = 3

# A service that compose made several times is told by its newest container.
_SCRIPT = r"""
id=$(docker ps -aq --no-trunc --filter "label=com.docker.compose.service=$service" \
  --filter "label=com.docker.compose.project.working_dir=$directory" | head -n 1) || exit 1
[ -n "$id" ] || exit 3
exec docker logs "$@" -- "$id" </dev/null
"""


@click.command("logs")
@click.argument("host")
@click.argument("service")
@path_options
@click.option("--since", default="", help="A time, or how long ago: 10m, 2h, 2026-11-25T08:00:00.")
@click.option(
    "--tail", type=click.IntRange(min=0), default=200, show_default=True, help="How many lines before that."
)
@click.option("--follow", is_flag=True, help="Go on until interrupted.")
def command(host: str, service: str, *, since: str, tail: int, follow: bool, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Print what a compose service printed, as Docker keeps it on its host. Never changes a host."""
    options = options_of_some(shared)
    desired, login = find(options.clusters(), host)
    directory = _directory(desired, login.host, service)
    given = [*(["--since", since] if since else ["--tail", str(tail)])]
    given += ["--follow"] if follow else []
    values = f"service={quote(service)} directory={quote(directory)}\nset -- {quote(*given)}\n"
    try:
        status = as_root(desired, login, values + _SCRIPT)
    except KeyboardInterrupt:
        if follow:
            return ExitStatus.OK
        raise
    if status == NO_CONTAINER:
        raise GonkaStateError(
            f"{login.host} has no container of {service}",
            hint=f"what is wanted there: gonka-state diff --host {login.host} --kind compose-service",
        )
    if status:
        raise GonkaStateError(f"docker logs on {login.host} ended with {status}: it says why above")
    return ExitStatus.OK


def _directory(desired: Desired[Resource], host: str, service: str) -> str:
    """The directory of the project whose service it is.

    Raises:
        InputError: no such service is declared on the host.
    """
    there = {
        item.resource.name: item.resource.directory
        for address, item in desired.resources.items()
        if address.host == host and isinstance(item.resource, ComposeServiceResource)
    }
    if service not in there:
        names = ", ".join(there) or "none"
        raise InputError([f"{host} has no service {service}"], hint=f"its services are: {names}")
    return there[service]
