"""`gonka-state adopt`: a cluster file for hosts that somebody else set up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from gonka_state.cli.writing import check
from gonka_state.core.desired import Login
from gonka_state.engine.adopt import look, public_half
from gonka_state.engine.adopted import adopt
from gonka_state.errors import InputError
from gonka_state.spec.checks import is_host
from gonka_state.spec.vocabulary import is_name
from gonka_state.spec.write import SCHEMA, as_yaml

_HEAD = f"""\
{SCHEMA}#
# Written by gonka-state adopt from what runs on these hosts. It wishes what is there, but closed where it
# stands open, and no password was read: set what is asked for with {{env: …}}, then see gonka-state diff.
"""


@click.command("adopt")
@click.argument("hosts", nargs=-1, required=True, metavar="HOST=ADDRESS...")
@click.option("--cluster", required=True, help="The name of the cluster in the file.")
@click.option("--user", default="ubuntu", show_default=True, help="The user to log in as.")
@click.option("--key", required=True, help="A private key file without a passphrase.")
@click.option("--known-hosts", required=True, help="The file that pins the hosts' keys.")
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True)
@click.option("-v", "--verbose", is_flag=True, help="Show each host's look.")
def command(hosts: tuple[str, ...], cluster: str, verbose: bool, **given: Any) -> None:  # noqa: ANN401, FBT001 (click's)
    """Look at hosts of one cluster and write the cluster file that fits them. Never changes a host.

    HOST is the name that the host gets in the file. The file goes to standard output; what was left out,
    and why, to standard error.
    """
    addresses = _addresses(hosts)
    _check_names(cluster, addresses)
    ssh = {"user": given["user"], "key": _path(given["key"]), "known_hosts": _path(given["known_hosts"])}
    if given["port"] != 22:  # noqa: PLR2004 (ssh's own)
        ssh["port"] = given["port"]
    key, known_hosts = (str(Path(ssh[word]).expanduser()) for word in ("key", "known_hosts"))
    logins = {
        name: Login(
            host=name, address=address, user=ssh["user"], port=given["port"], key=key, known_hosts=known_hosts
        )
        for name, address in addresses.items()
    }

    def say(where: str, text: str) -> None:
        if verbose:
            click.echo(f"{where}: {text}", err=True)

    made = adopt(cluster, ssh, public_half(key), look(cluster, logins, say), addresses)
    text = _HEAD + as_yaml(made.words)
    check(text, "adopted.yaml")
    for note in made.notes:
        click.echo(note, err=True)
    click.echo(text, nl=False)


def _addresses(hosts: tuple[str, ...]) -> dict[str, str]:
    pairs = [host.partition("=") for host in hosts]
    wrong = [name for name, _, address in pairs if not name or not address]
    if wrong or len({name for name, _, _ in pairs}) != len(pairs):
        raise InputError(
            [f"expected HOST=ADDRESS for each host, with names that differ: {' '.join(hosts)}"],
            hint="for example: network=192.0.2.1 ml-01=192.0.2.2",
        )
    return {name: address for name, _, address in pairs}


def _check_names(cluster: str, addresses: dict[str, str]) -> None:
    """Refuse before connecting what the file that is written could not hold."""
    problems = [
        f"{name!r} is no name: that is a-z, 0-9 and inner hyphens"
        for name in (cluster, *addresses)
        if not is_name(name)
    ]
    problems += [
        f"{at!r} is neither an IP address nor a host name" for at in addresses.values() if not is_host(at)
    ]
    if len(set(addresses.values())) != len(addresses):
        problems.append("two hosts have one address")
    if problems:
        raise InputError(problems)


def _path(text: str) -> str:
    """As written where it means the same from everywhere, else absolute: the file may go anywhere."""
    return text if text.startswith(("~", "/")) else str(Path(text).absolute())
