"""`gonka-state observe`: write down what the hosts are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from gonka_state.cli.looking import look
from gonka_state.cli.options import common_options, options_from
from gonka_state.core.report import ExitStatus
from gonka_state.errors import InputError
from gonka_state.facts.snapshot import dump


@click.command("observe")
@common_options
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="A file (mode 0600) instead of standard output."
)
def command(output: Path | None, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Look at one cluster and write a snapshot, for `diff --observed`. Never changes a host.

    Secrets are digests in it, but it still tells much about the hosts: keep it like a log file.
    """
    options = options_from(shared)
    clusters = options.clusters()
    if len(clusters) != 1:
        names = ", ".join(desired.cluster for desired in clusters)
        raise InputError([f"a snapshot is of one cluster, and these are {len(clusters)}: {names}"])
    snapshot, compared = look(options, clusters[0])
    if output is None:
        click.echo(dump(snapshot), nl=False)
    else:
        _write(output, dump(snapshot))
        options.say(clusters[0].cluster, f"snapshot of {len(snapshot.hosts)} hosts in {output}")
    unknown = [looked for looked in compared.plan.hosts if looked.unknown]
    if len(unknown) == len(compared.plan.hosts):
        return ExitStatus.ERROR
    return ExitStatus.PARTIAL if unknown else ExitStatus.OK


def _write(output: Path, text: str) -> None:
    new = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        new.replace(output)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise InputError([f"{output} cannot be written: {error.strerror}"]) from error
