"""`gonka-state monitoring`: what Prometheus and Grafana need to know. No host is touched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import cluster_options, options_of_some
from gonka_state.cli.writing import write_file
from gonka_state.core.report import ExitStatus
from gonka_state.core.units import parse_duration
from gonka_state.errors import GonkaStateError, InputError, said_by
from gonka_state.spec.write import as_yaml
from gonka_state.views.alerts import Waits, rules
from gonka_state.views.dashboard import dashboard
from gonka_state.views.scraping import RULES, TARGETS, configuration, targets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gonka_state.core.desired import Desired
    from gonka_state.resources.base import Resource

MARK = "# Written by gonka-state monitoring; the next run writes it again.\n"
CONFIGURATION, DASHBOARD = "prometheus.yml", "dashboard.json"
_ENDPOINT = re.compile(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}")


def _seconds(context: click.Context, parameter: click.Parameter, value: str) -> int:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from None


def _endpoints(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        if not _ENDPOINT.fullmatch(text):
            raise click.BadParameter(f"{text!r} is no HOST:PORT", context, parameter)
    return value


@click.command("monitoring")
@cluster_options
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    required=True,
    help="Write prometheus.yml, rules.yml, targets/ and dashboard.json there.",
)
@click.option(
    "--checker",
    metavar="HOST:PORT",
    callback=_endpoints,
    multiple=True,
    help="The node_exporter that reads what drift --prometheus writes; needless if it is a declared host's.",
)
@click.option(
    "--alertmanager",
    metavar="HOST:PORT",
    callback=_endpoints,
    multiple=True,
    help="Who is sent the alerts; may be repeated.",
)
@click.option(
    "--every",
    callback=_seconds,
    default="10m",
    show_default=True,
    help="How often drift runs: three missing runs are an alert.",
)
@click.option(
    "--drift-after",
    callback=_seconds,
    default="15m",
    show_default=True,
    help="How long drift stands before it is an alert.",
)
@click.option(
    "--scrape", callback=_seconds, default="30s", show_default=True, help="How often Prometheus asks."
)
def command(  # noqa: PLR0913  (click's)
    *,
    output: Path,
    checker: tuple[str, ...],
    alertmanager: tuple[str, ...],
    every: int,
    drift_after: int,
    scrape: int,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Write what Prometheus and Grafana need: targets, alert rules and a dashboard. No host is touched.

    DIR/prometheus.yml is a whole configuration; a Prometheus that has one takes over its scrape_configs and
    rule_files. What was written by an earlier run is written again. PATHS are cluster files or directories; none
    means every cluster in ./desired. See docs/monitoring.md.
    """
    clusters = options_of_some(shared).clusters(resolve_commands=False)
    _monitored(clusters)
    _ours(output)
    names = [desired.cluster for desired in clusters]
    texts = {
        CONFIGURATION: _yaml(configuration(names, scrape, checker, alertmanager)),
        RULES: _yaml(rules(names, Waits(drift_after, every))),
        DASHBOARD: _json(dashboard()),
        **{f"{TARGETS}/{desired.cluster}.json": _json(targets(desired)) for desired in clusters},
    }
    _write(output, texts)
    return ExitStatus.OK


def _monitored(clusters: Sequence[Desired[Resource]]) -> None:
    bare = [desired for desired in clusters if not desired.scraped]
    if bare:
        raise InputError(
            [f"{desired.file}: no host of {desired.cluster} declares monitoring" for desired in bare],
            hint="for example under a role: monitoring: {from: [10.0.0.5]}, the address of your Prometheus",
        )


def _ours(output: Path) -> None:
    """A directory that holds somebody else's configuration is left alone."""
    there = output / CONFIGURATION
    try:
        foreign = there.exists() and not there.read_text(encoding="utf-8", errors="replace").startswith(MARK)
    except OSError as error:
        raise GonkaStateError(f"{there} cannot be read: {said_by(error)}") from error
    if foreign:
        raise InputError(
            [f"{there} is somebody else's, and nothing was written"],
            hint="give another directory, then take over its scrape_configs and rule_files",
        )


def _write(output: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        path = output / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise GonkaStateError(f"{path.parent} cannot be made: {said_by(error)}") from error
        write_file(path, text, mode=0o644)
        click.echo(path)


def _yaml(words: Mapping[str, Any]) -> str:
    return MARK + as_yaml(words)


def _json(words: object) -> str:
    return json.dumps(words, indent=2, ensure_ascii=False) + "\n"
