"""`gonka-state schema`: the JSON Schema that editors check a cluster file against."""

from __future__ import annotations

import json

import click

from gonka_state.core.report import ExitStatus
from gonka_state.registry import KINDS
from gonka_state.spec.schema import schema


@click.command("schema")
def command() -> int:
    """Print the JSON Schema of a cluster file."""
    click.echo(json.dumps(schema({name: kind.resource for name, kind in KINDS.items()}), indent=2))
    return ExitStatus.OK
