"""`gonka-state observe`: write down what the hosts are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gonka_state.cli.looking import look
from gonka_state.cli.options import common_options, options_from
from gonka_state.cli.writing import write_file
from gonka_state.core.report import ExitStatus
from gonka_state.errors import GonkaStateError, InputError
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
        try:
            write_file(output, dump(snapshot))
        except GonkaStateError as error:
            raise InputError([error.message]) from error
        options.say(clusters[0].cluster, f"snapshot of {len(snapshot.hosts)} hosts in {output}")
    unknown = [looked for looked in compared.plan.hosts if looked.unknown]
    if len(unknown) == len(compared.plan.hosts):
        return ExitStatus.ERROR
    return ExitStatus.PARTIAL if unknown else ExitStatus.OK
