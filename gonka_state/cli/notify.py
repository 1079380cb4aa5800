"""`gonka-state notify`: do messages arrive?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.notifying import checked
from gonka_state.cli.options import cluster_options, options_of_some
from gonka_state.core.report import ExitStatus
from gonka_state.errors import InputError
from gonka_state.notify.receivers import receivers
from gonka_state.notify.send import send
from gonka_state.views.notice import trial

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired, SecretSource
    from gonka_state.resources.base import Resource


@click.group("notify")
def command() -> None:
    """Messages about incidents and their end: drift sends them, to whom `notify` in the YAML names."""


@command.command("test")
@cluster_options
def test(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Send a test message to every URL, and say whether it was taken.

    PATHS are cluster files or directories; none means every cluster in ./desired. No URL is shown: only which of them
    it is, and its scheme. Exits 1 when one was not taken.
    """
    clusters = options_of_some(shared).clusters()
    told: dict[SecretSource, list[str]] = {}
    for desired in clusters:
        if desired.notify is not None:
            told.setdefault(desired.notify, []).append(desired.cluster)
    if not told:
        raise InputError(
            [f"{_names(clusters)}: no `notify` is declared"],
            hint="notify: {urls: {file: PATH}} (docs/checks.md)",
        )
    found = {asked: receivers(asked, os.environ) for asked in told}
    status = ExitStatus.OK
    for asked, names in told.items():
        for receiver in found[asked]:
            why = send(receiver, trial(names, checked()))
            click.echo(f"{receiver.name}: {f'not taken: {why}' if why else 'taken'}")
            status = ExitStatus.ERROR if why else status
    return status


def _names(clusters: list[Desired[Resource]]) -> str:
    return ", ".join(desired.cluster for desired in clusters)
