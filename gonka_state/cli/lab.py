"""`gonka-state lab`: real hosts on this machine, for rehearsal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state import lab
from gonka_state.cli.options import Options, cluster_options, options_of_some
from gonka_state.core.report import ExitStatus
from gonka_state.errors import GonkaStateError, InputError
from gonka_state.history.file import history_file, opened
from gonka_state.history.record import forget

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource


@click.group("lab")
def command() -> None:
    """Boot one real host per host of a cluster file on this machine, to rehearse on.

    Each is a systemd container with its own sshd, ufw, Docker and compose, and else as bare as a new server.
    An image registry, a git repository, a model hub, packages and a seed node are beside them. Needs root on
    Linux.
    """


@command.command("up")
@cluster_options
@click.option("--subnet", default="10.77.0.0/24", show_default=True, help="A free /24 for the lab.")
def up(subnet: str, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Boot the lab of one cluster file and print the path of its overlay."""
    desired = _one(options_of_some(shared))
    info = lab.up(_spec(desired), subnet=subnet, say=_say)
    click.echo(info.overlay)
    _say(f"look:    gonka-state diff {desired.file} --overlay {info.overlay}")
    _say(f"log in:  {' '.join(info.ssh(next(iter(info.hosts))))}")
    return ExitStatus.OK


@command.command("down")
@click.argument("clusters", nargs=-1)
def down(clusters: tuple[str, ...]) -> int:
    """Take labs down (none named: all of them); leaves nothing behind."""
    for cluster in clusters or (None,):
        name = Path(cluster).stem if cluster and cluster.endswith(".yaml") else cluster
        lab.down(name, say=_say)
        _forget(name)
    return ExitStatus.OK


def _forget(cluster: str | None) -> None:
    """The next lab of that name begins bare: what was checked on this one says nothing of it."""
    file = history_file()
    if not file.exists():
        return
    try:
        with opened(file) as connection:
            forget(connection, cluster, lab=True)
    except GonkaStateError as error:
        _say(f"its history stays: {error.message}")


@command.command("replace")
@click.argument("host")
def replace(host: str) -> int:
    """Lose a lab host's disk: a new, bare machine boots under its name and address."""
    lab.replace(host, say=_say)
    return ExitStatus.OK


@command.command("status")
def status() -> int:
    """Show which lab hosts run."""
    hosts = lab.status()
    for host in hosts:
        state = "up" if host.up else "off"
        ssh = "ssh answers" if host.ssh else "ssh does not answer"
        click.echo(f"{host.cluster}  {host.name:<24} {host.address:<15} {state:<4} {ssh}")
    if not hosts:
        click.echo("no lab is up")
    return ExitStatus.OK


def _one(options: Options) -> Desired[Resource]:
    clusters = options.clusters()
    if len(clusters) != 1:
        names = ", ".join(desired.cluster for desired in clusters)
        raise InputError([f"a lab is of one cluster, and these are {len(clusters)}: {names}"])
    return clusters[0]


def _spec(desired: Desired[Resource]) -> lab.LabSpec:
    """The host that nodes are registered on is the network host; the rest are ML hosts."""
    network = {address.host for address in desired.resources if address.kind == "node"}
    models = {
        address.name: declared.resource.attributes()["revision"]
        for address, declared in desired.resources.items()
        if address.kind == "model"
    }
    _refuse_differing_logins(desired)
    hosts = tuple(lab.LabHost(name, "network" if name in network else "ml") for name in desired.hosts)
    account = next((address.name for address in desired.resources if address.kind == "account"), "")
    return lab.LabSpec(desired.cluster, next(iter(desired.hosts.values())).user, hosts, models, account)


def _refuse_differing_logins(desired: Desired[Resource]) -> None:
    """Everything in a lab is reached in one way."""
    logins = desired.hosts.values()
    for what, values in {
        "login user": {login.user for login in logins},
        "SSH port": {str(login.port) for login in logins},
        "key to log in with": {login.key for login in logins},
        "way in": {" via ".join(["direct", *(hop.host for hop in login.via)]) for login in logins},
    }.items():
        if len(values) != 1:
            listed = ", ".join(sorted(values))
            raise InputError(
                [f"a lab has one {what} for all its hosts, and these are {len(values)}: {listed}"]
            )


def _say(text: str) -> None:
    click.echo(text, err=True)
