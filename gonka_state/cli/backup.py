"""`gonka-state backup`: snapshots of what a network host cannot be made again from, and their way back."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import Options, cluster_options, options_of_some
from gonka_state.core.report import ExitStatus
from gonka_state.core.restoring import CONSENSUS
from gonka_state.engine.backups import Declared, Keeper
from gonka_state.engine.lock import cluster_lock
from gonka_state.engine.session import connect
from gonka_state.errors import GonkaStateError, InputError, RefusedError
from gonka_state.views.backup import render_restore, render_snapshots, snapshots_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

_COLOR = click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
_WARNING = (
    "The machine that had this consensus key must never start again: two signers with one key are slashed for\n"
    "good. The chain saw no signature of it lately, which does not prove that it is gone."
)


@click.group("backup")
def command() -> None:
    """Take, list and restore the backup of a cluster's network host (docs/backup.md).

    Restoring is done onto a host that `converge` has set up: while the backup has keys that the host has not,
    converge makes none.
    """


@command.command("now")
@cluster_options
def now(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Take a snapshot now, whatever the timer says."""
    options = options_of_some(shared)
    with _keeper(options, _one(options), lock=False) as keeper:
        keeper.take()
    return ExitStatus.OK


@command.command("list")
@cluster_options
@_COLOR
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md).")
def list_(**shared: Any) -> int:  # noqa: ANN401 (click's)
    """Show the snapshots: when, how old, how large, of which host; and what is in the newest."""
    options = options_of_some(shared)
    desired = _one(options)
    with _keeper(options, desired, lock=False) as keeper:
        found = keeper.snapshots()
    if options.as_json:
        click.echo(snapshots_document(desired.cluster, found, ExitStatus.OK))
    else:
        click.echo(render_snapshots(desired.cluster, found, time.time(), options.style()))
    return ExitStatus.OK


@command.command("restore")
@cluster_options
@_COLOR
@click.option("--snapshot", default="", help="The id of a snapshot; by default the newest.")
@click.option(
    "--allow",
    "allowed",
    multiple=True,
    type=click.Choice([CONSENSUS]),
    help="Also bring back the consensus key, if the chain sees no signature of it any more.",
)
@click.option("--yes", is_flag=True, help="Do not ask; for scripts.")
def restore(*, snapshot: str, allowed: tuple[str, ...], yes: bool, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Bring back keys, node database and configuration onto a host that has none.

    Nothing that is there is overwritten, and nothing is restored while the services that use it run. The consensus
    key stays in the backup unless --allow names it: without it the signer makes a new key, which the account key
    registers.
    """
    options = options_of_some(shared)
    desired = _one(options)
    with _keeper(options, desired, lock=True) as keeper:
        chosen = keeper.choose(snapshot)
        plan, height = keeper.plan(chosen, consensus=CONSENSUS in allowed)
        where = f"{desired.cluster} · {'LAB' if desired.lab else 'PRODUCTION'} · {keeper.declared.host}"
        click.echo(render_restore(plan, chosen, where, time.time(), options.style()))
        if not plan.missing:
            click.echo("nothing is missing here", err=True)
            return ExitStatus.OK
        if plan.brings_consensus:
            click.echo(_WARNING, err=True)
        if not yes and not _agreed():
            return ExitStatus.PENDING
        placed = keeper.place(chosen, plan, height)
    click.echo(f"restored {len(placed)} files; go on with: gonka-state converge {desired.file}", err=True)
    return ExitStatus.OK


def _agreed() -> bool:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise RefusedError(
            "nothing was changed: there is no terminal to ask on", hint="add --yes to restore this"
        )
    answer = click.prompt("Restore this? Only 'yes' does", default="", show_default=False, err=True)
    if answer != "yes":
        click.echo("nothing was changed", err=True)
    return bool(answer == "yes")


def _one(options: Options) -> Desired[Resource]:
    clusters = options.clusters()
    if len(clusters) != 1:
        names = ", ".join(desired.cluster for desired in clusters)
        raise InputError([f"a backup is of one cluster, and these are {len(clusters)}: {names}"])
    return clusters[0]


@contextmanager
def _keeper(options: Options, desired: Desired[Resource], *, lock: bool) -> Iterator[Keeper]:
    """The network host, connected; with `lock` nobody converges the cluster meanwhile."""
    declared = Declared.of(desired)
    host = declared.host
    say: Callable[[str, str], None] = options.say
    with connect({host: desired.hosts[host]}, desired.run, on_event=options.whisper) as session:
        problem = session.unreachable.get(host)
        if problem is not None:
            raise GonkaStateError(f"{host}: {problem.reason}", hint=problem.hint)
        keeper = Keeper(session, declared, desired.file, say)
        if not lock:
            yield keeper
            return
        with cluster_lock(session, desired.cluster, [host]):
            yield keeper
