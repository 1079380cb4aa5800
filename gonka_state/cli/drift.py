"""`gonka-state drift`: the look for cron. Nothing that writes can be imported from here."""

from __future__ import annotations

from typing import Any

import click

from gonka_state.cli.diff import show_plans
from gonka_state.cli.looking import look_at_all
from gonka_state.cli.options import common_options, options_from
from gonka_state.core.report import ExitStatus, most_important, plan_status


@click.command("drift")
@common_options
@click.option("--exit-zero", is_flag=True, help="Exit 0 instead of 2 when something drifted.")
def command(*, exit_zero: bool, **shared: Any) -> int:  # noqa: ANN401 (click's)
    """Look like diff, but say nothing when in sync: made for cron, which mails what is printed.

    PATHS are cluster files or directories; none means every cluster in ./desired.
    """
    options = options_from(shared)
    plans = look_at_all(options, options.clusters(), "drift")
    status = most_important(plan_status(plan) for plan in plans)
    said = [plan for plan in plans if plan_status(plan) is not ExitStatus.OK]
    if options.as_json or said:
        show_plans(options, plans if options.as_json else said, status)
    return ExitStatus.OK if exit_zero and status is ExitStatus.PENDING else status
