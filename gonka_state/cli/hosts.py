"""`gonka-state hosts`: before the first deployment: whose hosts these are, and whether they are ready."""

from __future__ import annotations

import click

from gonka_state.cli.hosts_check import check
from gonka_state.cli.hosts_trust import trust


@click.group("hosts")
def command() -> None:
    """Pin host keys, and run the checklist before a deployment. Never changes a host."""


command.add_command(trust)
command.add_command(check)
