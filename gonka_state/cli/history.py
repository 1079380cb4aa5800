"""`gonka-state history`: what checks and converges found over time. Connects nowhere."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gonka_state.cli.telling import style_for
from gonka_state.core.report import ExitStatus
from gonka_state.core.units import parse_since
from gonka_state.errors import InputError
from gonka_state.history.file import history_file, opened, recorded
from gonka_state.history.overview import detail, overview
from gonka_state.history.read import clusters
from gonka_state.views import history as human
from gonka_state.views import history_json as machine

if TYPE_CHECKING:
    from gonka_state.core.overview import Detail, Overview


@click.command("history")
@click.argument("words", nargs=-1, metavar="[PATHS... | show N]")
@click.option(
    "--since", default="7d", show_default=True, help="A span such as 12h or 7d, or a date such as 2026-11-01."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document (docs/json.md).")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def command(words: tuple[str, ...], since: str, *, as_json: bool, color: str) -> int:
    """Show how long each cluster was in sync, what is open since when, what was done, and what comes and goes.

    PATHS are cluster files or directories; none means every cluster that was ever checked from here. `show N`
    shows one check or converge in full, by its number. It is read from this machine; no host is asked.
    """
    click.get_current_context().color = color == "always" or None
    style = style_for(color)
    if words[:1] == ("show",):
        one = _detail(words[1:])
        click.echo(machine.detail_document(one) if as_json else human.render_detail(one, style))
        return ExitStatus.OK
    found = _overviews(_names(words), _moment(since))
    if as_json:
        click.echo(machine.overview_document(found))
    elif found:
        click.echo(human.render_overview(found, style))
    else:
        click.echo("nothing is recorded yet: diff, drift and converge do that", err=True)
    return ExitStatus.OK


def _moment(text: str) -> float:
    now = time.time()
    try:
        since = parse_since(text, now)
    except ValueError as error:
        raise InputError([f"--since {error}"]) from None
    if since >= now:
        raise InputError([f"--since {text} lies in the future"])
    return since


def _names(words: tuple[str, ...]) -> frozenset[str] | None:
    """The clusters of these files; None for all that are known."""
    if not words:
        return None
    # Reading the YAML takes longer to load than a year of history to read.
    from gonka_state.cli.options import Options  # noqa: PLC0415

    paths = tuple(Path(word) for word in words)
    options = Options(paths, (), (), (), (), as_json=False, quiet=False, color="auto", verbose=0)
    return frozenset(desired.cluster for desired in options.clusters(resolve_commands=False))


def _overviews(names: frozenset[str] | None, since: float) -> list[Overview]:
    file, now = history_file(), time.time()
    if not recorded(file):
        return []
    with opened(file) as connection:
        return [
            overview(connection, known, since, now)
            for known in clusters(connection)
            if names is None or known.name in names
        ]


def _detail(words: tuple[str, ...]) -> Detail:
    if len(words) != 1 or not words[0].removeprefix("#").isdecimal():
        raise InputError(
            ["history show takes the number of one check or converge"],
            hint="gonka-state history names them: gonka-state history show 12",
        )
    number, file = int(words[0].removeprefix("#")), history_file()
    found = None
    if recorded(file) and number < 2**63:
        with opened(file) as connection:
            found = detail(connection, number)
    if found is None:
        raise InputError([f"there is no check or converge {number} in {file}"])
    return found
