"""Options that several commands share, as one plain value."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gonka_state.cli.telling import style_for
from gonka_state.engine.needs import check_needs
from gonka_state.engine.select import check_selectors, select
from gonka_state.errors import InputError
from gonka_state.registry import KINDS
from gonka_state.spec.load import load

if TYPE_CHECKING:
    from gonka_state.core.address import Address
    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource
    from gonka_state.views.style import Style

F = TypeVar("F", bound=Callable[..., Any])

PLAN_PHASES = tuple(f"phase{number}" for number in range(6))
"""Phases of the deployment plan that have steps of ours."""

_EXISTING = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class Options:
    """What the common options said."""

    paths: tuple[Path, ...]
    overlays: tuple[Path, ...]
    hosts: tuple[str, ...]
    kinds: tuple[str, ...]
    only: tuple[str, ...]
    as_json: bool
    quiet: bool
    color: str
    verbose: int
    verify_models: bool = False

    def clusters(self, *, resolve_commands: bool = True) -> list[Desired[Resource]]:
        """The wish of every cluster named; also checks that the selectors mean something.

        Without `resolve_commands` no `{command: …}` is run, and what it would give is not set.

        Raises:
            InputError: every problem of the YAML and of the selectors.
        """
        paths = self.paths or (Path("desired"),)
        if not self.paths and not paths[0].is_dir():
            raise InputError(
                [f"there is no directory {paths[0].resolve()}"],
                hint=f"name a cluster file: {_this_command()} path/to/cluster.yaml",
            )
        found = load(
            paths,
            overlays=self.overlays,
            models={name: kind.resource for name, kind in KINDS.items()},
            env=os.environ,
            resolve_commands=resolve_commands,
        )
        check_needs(found, KINDS)
        check_selectors(
            found, hosts=self.hosts, kinds=self.kinds, known_kinds=list(KINDS), phases=self.phases
        )
        return found

    @property
    def phases(self) -> tuple[int, ...]:
        """The plan phases that `--only` names."""
        return tuple(int(word.removeprefix("phase")) for word in self.only)

    @property
    def whole(self) -> bool:
        """Whether everything that is declared is meant."""
        return not (self.hosts or self.kinds or self.only)

    def select(self, desired: Desired[Resource]) -> frozenset[Address] | None:
        """The addresses of one cluster that the selectors mean; None for all."""
        return select(desired, hosts=self.hosts, kinds=self.kinds, phases=self.phases)

    def style(self) -> Style:
        """How to draw on standard output: colour and width only where a person looks."""
        return style_for(self.color)

    def say(self, where: str, text: str) -> None:
        """A line of progress on standard error."""
        if not self.quiet:
            # Nobody reads any more, or the log's disk is full: no reason to stop a converge half way.
            with suppress(OSError):
                click.echo(f"{where}: {text}", err=True)

    def whisper(self, where: str, text: str) -> None:
        """A line of progress that only `-v` shows."""
        if self.verbose:
            self.say(where, text)


def _this_command() -> str:
    context = click.get_current_context(silent=True)
    return context.command_path if context is not None else "gonka-state diff"


_OVERLAYS = click.option(
    "--overlay",
    "overlays",
    multiple=True,
    type=_EXISTING,
    help="Merge one more file on top; may be repeated.",
)

throttle_option = click.option(
    "--throttle",
    type=click.IntRange(min=1),
    help="Launch so many ML nodes at once (run.throttle); of a cluster that serves always one.",
)
ignore_phase_option = click.option(
    "--ignore-phase",
    metavar="REASON",
    default="",
    help="Disturb a serving cluster whatever the chain is doing; the reason is printed in the report.",
)


def cluster_options(function: F) -> F:
    """PATHs and overlays, for commands that read the YAML."""
    return click.argument("paths", nargs=-1, type=_EXISTING)(_OVERLAYS(function))


def path_options(function: F) -> F:
    """The cluster files as an option, and overlays: for commands whose arguments are something else."""
    paths = click.option(
        "--path",
        "paths",
        multiple=True,
        type=_EXISTING,
        help="Cluster file or directory; may be repeated. None means every cluster in ./desired.",
    )
    return paths(_OVERLAYS(function))


def output_options(function: F) -> F:
    """How much is printed, and in which form."""
    for decorate in (
        click.option("-v", "--verbose", count=True, help="Show each host's look; whole files in diffs."),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto"),
        click.option("-q", "--quiet", is_flag=True, help="Print nothing when in sync."),
        click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md)."),
    ):
        function = decorate(function)
    return function


def common_options(function: F) -> F:
    """Everything the looking commands share."""
    function = output_options(function)
    for decorate in (
        click.option(
            "--only",
            "only",
            multiple=True,
            type=click.Choice(PLAN_PHASES),
            help="Only this phase of the deployment plan; may be repeated.",
        ),
        click.option(
            "--verify-models",
            is_flag=True,
            help="Also read every byte of the declared models and compare checksums; takes minutes per 100 GB.",
        ),
        click.option("--kind", "kinds", multiple=True, help="Only this kind; may be repeated."),
        click.option("--host", "hosts", multiple=True, help="Only this host, and what is about it."),
    ):
        function = decorate(function)
    return cluster_options(function)


def options_of_some(values: dict[str, Any]) -> Options:
    """Options of a command that takes only some of the shared ones; the others say nothing."""
    names: dict[str, Any] = {"hosts": (), "kinds": (), "only": ()}
    says = {"as_json": False, "quiet": False, "color": "auto", "verbose": 0}
    return options_from(names | says | values)


def options_from(values: dict[str, Any]) -> Options:
    """Take the shared options out of a command's keyword arguments."""
    names = ("paths", "overlays", "hosts", "kinds", "only", "as_json", "quiet", "color", "verbose")
    verify = values.pop("verify_models", False)
    # Else click takes the colours out again wherever it sees no terminal.
    click.get_current_context().color = values["color"] == "always" or None
    return Options(**{name: values.pop(name) for name in names}, verify_models=verify)
