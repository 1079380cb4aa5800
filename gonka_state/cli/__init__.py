"""The command line: options become a value, a call is made, the answer is shown, a status is returned."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import traceback
from contextlib import suppress
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gonka_state import __version__
from gonka_state.cli.telling import problems_of, tell_error
from gonka_state.core.report import ExitStatus
from gonka_state.errors import GonkaStateError, said_by

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "validate": "Check the YAML, without touching a host.",
    "diff": "Show what differs.",
    "converge": "Close the gap, then look again.",
    "drift": "The look for cron: silent when in sync, never writes.",
    "verify": "Check the success criteria of a deployed cluster.",
    "doctor": "Say what is wrong with a cluster, and what to do.",
    "logs": "Print what a service printed.",
    "restart": "Restart a service, host after host.",
    "tunnel": "Reach a loopback port of a host from here.",
    "notify": "Send a test message to those who are told of incidents.",
    "history": "Show what checks found over time.",
    "backup": "Take, list and restore the backup of a network host.",
    "schedule": "Have drift run every few minutes.",
    "cleanup": "Take a deployment down; keys and data stay.",
    "adopt": "Write a cluster file for hosts that somebody else set up.",
    "import": "Make cluster files of an Ansible inventory or a list of addresses.",
    "monitoring": "Write what Prometheus and Grafana need to know.",
    "observe": "Write a snapshot of what the hosts are.",
    "hosts": "Pin host keys; check hosts before a deployment.",
    "schema": "Print the JSON Schema of a cluster file.",
    "lab": "Boot, show or take down the rehearsal lab.",
}

_EPILOG = """\b
Exit status, the same for every command:
  0  in sync, or converged          4  usage, or the YAML is wrong
  1  error, nothing can be said     5  failed after changes were made
  2  changes are pending            6  refused by a gate, a lock, or no consent
  3  some hosts are unknown         130  interrupted
"""


class _Lazy(click.Group):
    """Commands are imported only when used: help must not load an SSH stack."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command: click.Command = import_module(f"gonka_state.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            raise click.UsageError(f"{error.message}{_nearest(args[0])}", ctx=ctx) from error


def _nearest(word: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (only on a mistake)

    close = get_close_matches(word, list(_COMMANDS), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


@click.group(cls=_Lazy, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="gonka-state")
def group() -> None:
    """Reconcile Gonka clusters: read the wish from YAML, look at the hosts, show and close the gap."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line; expected errors become a message and a status, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = group.main(args=list(arguments), prog_name="gonka-state", standalone_mode=False)
        return int(status or 0)
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except BaseException as error:  # noqa: BLE001 (the one place where every ending becomes a status)
        return _ending(error, as_json="--json" in arguments)


def _ending(error: BaseException, *, as_json: bool) -> int:
    match error:
        case click.Abort() | KeyboardInterrupt():
            with suppress(OSError):  # a terminal that was closed is told nothing
                click.echo(
                    "interrupted; run the same command again, it continues from what is true", err=True
                )
            return ExitStatus.INTERRUPTED
        case click.ClickException():
            status = ExitStatus.USAGE if isinstance(error, click.UsageError) else ExitStatus.ERROR
            if as_json:
                _show_json(error.format_message(), "", status, (error.format_message(),))
            else:
                error.show()
            return status
        case GonkaStateError():
            _show(error, as_json=as_json)
            return error.exit_status
        case SystemExit(code=1):
            # So click tells that the reader of a pipe went away; nobody else exits here. What was not read
            # cannot be called in sync. Python must not complain again when it flushes at exit.
            _silence()
            return ExitStatus.ERROR
        case OSError(errno=errno.ENOSPC | errno.EDQUOT | errno.EIO):
            # What failed may be standard output itself; then Python must not try again when it flushes at exit.
            _silence()
            with suppress(OSError):
                tell_error(GonkaStateError(f"output cannot be written: {said_by(error)}"))
            return ExitStatus.ERROR
        case SystemExit():
            raise error
    _bug(error)
    return ExitStatus.ERROR


def _silence() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show(error: GonkaStateError, *, as_json: bool) -> None:
    if as_json:
        _show_json(error.message, error.hint, error.exit_status, problems_of(error))
    else:
        tell_error(error)


def _show_json(message: str, hint: str, status: int, problems: Sequence[str] = ()) -> None:
    from gonka_state.views import machine  # noqa: PLC0415 (only for programs)

    click.echo(machine.error_document(message, hint, status, problems))


def _bug(error: BaseException) -> None:
    handle, name = tempfile.mkstemp(prefix="gonka-state-bug-", suffix=".txt")
    with os.fdopen(handle, "w") as file:
        file.write("".join(traceback.format_exception(error)))
    click.echo(f"error: a bug in gonka-state {__version__}: {type(error).__name__}", err=True)
    click.echo(
        "  what was planned but not reported as changed may or may not have run: look with diff", err=True
    )
    click.echo(f"  please report it with this file (read it first): {Path(name)}", err=True)
