"""`gonka-state tunnel`: a port of a host that answers nobody else, here on the loopback address, until interrupted."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.on_host import find, missing, unreachable, words
from gonka_state.cli.options import options_of_some, path_options
from gonka_state.core.report import ExitStatus
from gonka_state.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = "127.0.0.1"
PORT = click.IntRange(1, 65535)
POLL = 0.1
_SET_PDEATHSIG = 1
"""Linux's prctl: the signal that a process gets when the one that started it is gone."""


@click.command("tunnel")
@click.argument("host")
@click.argument("port", type=PORT)
@path_options
@click.option(
    "--local", type=click.IntRange(0, 65535), help="The port here; 0 takes a free one. Default: the same."
)
def command(host: str, port: int, local: int | None, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Reach a loopback port of a host from here, such as the Admin API's 9200, which has no password and no way in.

    Goes on until interrupted. Whoever is on this machine can use it meanwhile.
    """
    options = options_of_some(shared)
    desired, login = find(options.clusters(), host)
    here = _free(port if local is None else local)
    forward = ("-N", "-o", "ExitOnForwardFailure=yes", "-L", f"{LOOPBACK}:{here}:{LOOPBACK}:{port}")
    try:
        client = subprocess.Popen(
            words(desired, login, *forward),
            stdin=subprocess.DEVNULL,
            preexec_fn=_ending_with_us(),  # noqa: PLW1509 (no threads here)
        )
    except FileNotFoundError as error:
        raise missing() from error
    try:
        while client.poll() is None and not _answers(here):
            time.sleep(POLL)
        if client.poll() is None:
            click.echo(f"{LOOPBACK}:{here} leads to port {port} of {login.host}; interrupt to end it")
        client.wait()
    except KeyboardInterrupt:
        return ExitStatus.OK
    finally:
        client.terminate()
        client.wait()
    raise unreachable(login)


def _ending_with_us() -> Callable[[], object] | None:
    """What the client does before it starts, so that no way in stays open where we are killed."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_SET_PDEATHSIG, signal.SIGTERM)


def _free(port: int) -> int:
    """The port to listen on.

    Raises:
        InputError: somebody listens there already.
    """
    try:
        with socket.create_server((LOOPBACK, port)) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        raise InputError(
            [f"port {port} of this machine is in use"],
            hint="take another one with --local, or a free one with --local 0",
        ) from error


def _answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True
