"""`gonka-state schedule`: have `drift` run every few minutes on this machine."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import cluster_options, options_of_some
from gonka_state.cli.writing import write_file
from gonka_state.core.report import ExitStatus
from gonka_state.core.units import human_age, parse_duration, show_moment
from gonka_state.errors import GonkaStateError, InputError
from gonka_state.history.file import history_file, opened
from gonka_state.history.read import last_of
from gonka_state.schedule import cron, systemd
from gonka_state.schedule.job import Job, check_every, lock_file, ping_file, program
from gonka_state.schedule.ping import check_url

if TYPE_CHECKING:
    from gonka_state.cli.options import Options


@click.group("schedule")
def command() -> None:
    """Have drift run every few minutes on this machine, by a systemd timer or by cron.

    As root it is a timer of the system, else one of the user's own. There is one schedule per user; installing
    again replaces it.
    """


@command.command("install")
@cluster_options
@click.option("--every", default="5m", show_default=True, help="How often: 1m to 30m, or 1h to 24h.")
@click.option(
    "--cron", "by_cron", is_flag=True, help="A crontab line instead of a systemd timer; cron mails."
)
@click.option(
    "--ping-url",
    metavar="URL",
    help="Call this URL after each run that reached its end; - reads it from standard input, where ps shows nothing.",
)
@click.option(
    "--prometheus",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file that each run writes for node_exporter's textfile collector.",
)
def install(
    every: str,
    *,
    by_cron: bool,
    ping_url: str | None,
    prometheus: Path | None,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Run drift on these PATHS from now on; none means every cluster in ./desired."""
    options = options_of_some(shared)
    metrics = () if prometheus is None else ("--prometheus", str(prometheus.absolute()))
    job = Job((*program(), "drift", *_paths(options), *metrics), _seconds(every))
    if any("\n" in word for word in job.command):
        raise InputError(["a path with a line break in it cannot be scheduled"])
    url = _url(ping_url)
    if url:
        ping_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_file(ping_file(), f"{url}\n")
    if ping_file().exists():
        job = Job((*job.command, "--ping-url-file", str(ping_file())), job.every)
    if by_cron:
        lock_file().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        cron.write_crontab(cron.edited(cron.read_crontab(), cron.line(job, lock_file())))
        _without_timer()
    else:
        systemd.install(job, systemd.directory(), systemd.systemctl)
        _without_line(timer=True)
    return _show()


@command.command("status")
def status() -> int:
    """Show whether it is installed, what it runs, when it ran last and runs next."""
    return _show()


@command.command("remove")
def remove() -> int:
    """Take the schedule away, with its ping URL. The history stays."""
    timer = _without_timer()
    gone = [timer, _without_line(timer=timer)]
    ping_file().unlink(missing_ok=True)
    lock_file().unlink(missing_ok=True)
    click.echo("removed" if any(gone) else "nothing was installed")
    return ExitStatus.OK


def _paths(options: Options) -> list[str]:
    """The words that name what is to be looked at, from wherever it is run; what is wrong with it is said now."""
    options.clusters(resolve_commands=False)
    words = [str(path.absolute()) for path in options.paths or (Path("desired"),)]
    words += [word for path in options.overlays for word in ("--overlay", str(path.absolute()))]
    return words


def _seconds(text: str) -> int:
    try:
        every = parse_duration(text)
    except ValueError as error:
        raise InputError([f"--every {error}"]) from None
    check_every(every, text)
    return every


def _url(given: str | None) -> str:
    if given is None:
        return ""
    if given != "-":
        return check_url(given)
    if sys.stdin.isatty():
        return check_url(str(click.prompt("Ping URL", hide_input=True, err=True)))
    return check_url(sys.stdin.readline())


def _without_timer() -> bool:
    return systemd.remove(systemd.directory(), systemd.systemctl)


def _without_line(*, timer: bool) -> bool:
    """Take our line out of the crontab; there is hardly one where a timer is, and cron may be forbidden there."""
    if not cron.has_cron():
        return False
    try:
        crontab = cron.read_crontab()
    except GonkaStateError as error:
        if not timer:
            raise
        click.echo(f"whether the crontab holds an earlier schedule is unknown: {error.message}", err=True)
        return False
    if cron.installed(crontab) is None:
        return False
    cron.write_crontab(cron.edited(crontab, None))
    return True


def _show() -> int:
    found = _installed()
    if found is None:
        click.echo("not installed: gonka-state schedule install PATH")
        return ExitStatus.OK
    found["checked"] = _checked()
    found["ping"] = f"the URL in {ping_file()}" if ping_file().exists() else "none"
    for name, value in found.items():
        click.echo(f"{name:<8} {value}")
    return ExitStatus.OK


def _installed() -> dict[str, str] | None:
    found = systemd.status(systemd.directory(), systemd.systemctl)
    line = cron.installed(cron.read_crontab()) if found is None and cron.has_cron() else None
    if line is None:
        return found
    return {"by": "crontab", "runs": line, "next": cron.next_run(line, time.time())}


def _checked() -> str:
    """The last whole look by drift that is in the history, by whomever."""
    file, run = history_file(), None
    with suppress(GonkaStateError):
        if file.exists():
            with opened(file) as connection:
                run = last_of(connection, "drift")
    if run is None:
        return "drift was never recorded"
    age = human_age(time.time() - run.at)
    return (
        f"{show_moment(run.at)}, {age} ago, exit status {run.status} (gonka-state history show {run.number})"
    )
