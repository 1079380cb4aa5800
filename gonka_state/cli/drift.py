"""`gonka-state drift`: the look for cron. Nothing that writes to a host can be imported from here."""

from __future__ import annotations

import shlex
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.looking import look_at_all
from gonka_state.cli.notifying import tell
from gonka_state.cli.options import Options, common_options, options_from
from gonka_state.cli.telling import tell_error
from gonka_state.cli.writing import write_file
from gonka_state.core.report import ExitStatus, most_important, plan_status
from gonka_state.errors import GonkaStateError
from gonka_state.schedule.ping import ping
from gonka_state.views import drift, machine
from gonka_state.views.junit import render_junit
from gonka_state.views.prometheus import render_prometheus
from gonka_state.views.style import Style

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.core.plan import Plan
    from gonka_state.resources.base import Resource

CONSENT = "needs --allow "
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command("drift")
@common_options
@click.option("--exit-zero", is_flag=True, help="Exit 0 instead of 2 when something differs.")
@click.option("--junit", type=_FILE, help="Also write this file, as JUnit's XML.")
@click.option(
    "--prometheus", type=_FILE, help="Also write this file, for node_exporter's textfile collector."
)
@click.option(
    "--ping-url-file", "ping_url", type=_FILE, help="Call the URL in this file when the run reached its end."
)
def command(
    *,
    exit_zero: bool,
    junit: Path | None,
    prometheus: Path | None,
    ping_url: Path | None,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Look like diff, but say nothing when in sync: made for cron, which mails what is printed.

    Tells since when, whether the hosts moved (drift) or the YAML did (pending), and what closes it. What is unknown
    is looked at a second time before it is told. Where the YAML says `notify`, incidents and their end are sent as
    messages. PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_from(shared)
    clusters = options.clusters()
    began = time.time()
    plans = look_at_all(options, clusters, "drift", twice=True)
    now = time.time()
    status = most_important(plan_status(plan) for plan in plans)
    if exit_zero and status is ExitStatus.PENDING:
        status = ExitStatus.OK
    files = [(junit, render_junit), (prometheus, render_prometheus)]
    failed = [error for path, render in files if path for error in _write(path, render(plans, now))]
    status = most_important([status, *(ExitStatus(error.exit_status) for error in failed)])
    if options.as_json:
        click.echo(machine.plan_document(plans, status))
    else:
        _show(options, clusters, plans, now)
    for error in failed:
        tell_error(error)
    told = not options.whole or _notify(options, clusters, plans, began)
    # Who can tell nobody is as good as dead.
    if ping_url is not None and told:
        _ping(ping_url)
    return status


def _notify(options: Options, clusters: list[Desired[Resource]], plans: list[Plan], began: float) -> bool:
    pairs = list(zip(clusters, plans, strict=True))
    told = [tell(desired, plan, began, partial(_text, options, desired, plan)) for desired, plan in pairs]
    return all(told)


def _text(options: Options, desired: Desired[Resource], plan: Plan) -> str:
    """One cluster as it is printed where nobody looks; empty when in sync."""
    if plan_status(plan) is ExitStatus.OK:
        return ""
    return drift.render_drift(plan, closing(options, desired, plan), Style(), time.time())


def _ping(file: Path) -> None:
    """Who does not answer is told of, but has no part in what was found."""
    try:
        ping(file)
    except GonkaStateError as error:
        tell_error(error)


def _write(path: Path, text: str) -> list[GonkaStateError]:
    try:
        write_file(path, text, mode=0o644)
    except GonkaStateError as error:
        return [error]
    return []


def _show(options: Options, clusters: list[Desired[Resource]], plans: list[Plan], now: float) -> None:
    style = options.style()
    texts = [
        drift.render_drift(plan, closing(options, desired, plan), style, now, verbose=options.verbose > 0)
        for desired, plan in zip(clusters, plans, strict=True)
        if plan_status(plan) is not ExitStatus.OK
    ]
    if texts:
        click.echo("\n\n".join(texts))


def closing(options: Options, desired: Desired[Resource], plan: Plan) -> list[str]:
    """The command lines that close what a step of ours can close, from wherever the mail is read.

    What cannot be taken back is a line of its own: nobody shall consent to it by habit.
    """
    words = ["gonka-state", "converge", str(Path(desired.file).absolute())]
    for option, values in (
        ("--overlay", [str(path.absolute()) for path in options.overlays]),
        ("--host", options.hosts),
        ("--kind", options.kinds),
        ("--only", options.only),
    ):
        words += [word for value in values for word in (option, value)]
    ours = [change for change in plan.pending if not change.human and not change.conditional]
    consents = sorted({c.held.removeprefix(CONSENT) for c in ours if c.held.startswith(CONSENT)})
    lines = [words] if any(not change.held.startswith(CONSENT) for change in ours) else []
    lines += [[*words, *(word for consent in consents for word in ("--allow", consent))]] if consents else []
    return [shlex.join(line) for line in lines]
