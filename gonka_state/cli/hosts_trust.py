"""`gonka-state hosts trust`: show the hosts' keys, ask, pin them in the cluster's known_hosts file."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click

from gonka_state.cli.options import Options, cluster_options, options_of_some
from gonka_state.core.report import ExitStatus, most_important
from gonka_state.core.trust import Terms, Trust, Verdict
from gonka_state.engine import known_hosts, pinning
from gonka_state.engine.jump import Jumps
from gonka_state.engine.select import full_name
from gonka_state.engine.trusting import judge, waves
from gonka_state.errors import InputError
from gonka_state.views.trust import render_trust, trust_summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.core.desired import Desired, Login
    from gonka_state.resources.base import Resource

_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")


@click.command("trust")
@cluster_options
@click.option("--host", "hosts", multiple=True, help="Only this host and its jump hosts; may be repeated.")
@click.option("--yes", is_flag=True, help="Do not ask: pin what is new as it is shown.")
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    help="Pin only keys with these SHA256 fingerprints, without asking; may be repeated.",
)
@click.option(
    "--replace",
    "replaced",
    multiple=True,
    help="This host was reinstalled: its new keys take the place of the old.",
)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def trust(
    fingerprints: tuple[str, ...],
    replaced: tuple[str, ...],
    *,
    yes: bool,
    **shared: Any,  # noqa: ANN401 (click's)
) -> int:
    """Show each host's key fingerprints, ask, and pin them in the declared known_hosts file.

    Compare them with your provider's console before you say yes. Jump hosts come first, and only then what
    is behind them. A pinned key that changed is refused.
    """
    options = options_of_some(shared)
    wrong = [text for text in fingerprints if not _FINGERPRINT.fullmatch(text)]
    if wrong:
        raise InputError([f"--fingerprint {text} is not SHA256: and 43 characters" for text in wrong])
    clusters = options.clusters()
    names = {name for desired in clusters for name in (*desired.hosts, *_hops(desired))}
    terms = Terms({_name(clusters, host) for host in replaced}, fingerprints)
    if unknown := sorted(set(terms.replace) - names):
        raise InputError([f"--replace {host}: no such host" for host in unknown])
    sure = yes or bool(fingerprints)
    found, statuses = list[Trust](), list[ExitStatus]()
    for desired in clusters:
        mine, status = _cluster(options, desired, terms, sure=sure)
        found += mine
        statuses.append(status)
    click.echo(f"\n{trust_summary(found)}")
    return most_important([*statuses, _status(found)])


def _hops(desired: Desired[Resource]) -> set[str]:
    return {hop.host for login in desired.hosts.values() for hop in login.via}


def _name(clusters: Sequence[Desired[Resource]], host: str) -> str:
    """A host's whole name, in whichever cluster has it."""
    return next((name for one in clusters if (name := full_name(one, host)) in one.hosts), host)


def _cluster(
    options: Options, desired: Desired[Resource], terms: Terms, *, sure: bool
) -> tuple[list[Trust], ExitStatus]:
    chosen = {full_name(desired, host) for host in options.hosts} or set(desired.hosts)
    timeout = desired.run.timeouts.connect
    jumps = Jumps(timeout + 5)
    found: list[Trust] = []
    status = ExitStatus.OK
    try:
        for wave in waves(login for name, login in desired.hosts.items() if name in chosen):
            judged = judge(wave, jumps, terms, timeout)
            if not judged:
                continue
            found += [trust for _, trust in judged]
            click.echo(render_trust([trust for _, trust in judged], options.style()))
            new = [(login, trust) for login, trust in judged if trust.pins]
            if new:
                status = most_important([status, _pin(new, sure=sure)])
    finally:
        jumps.close()
    return found, status


def _pin(new: Sequence[tuple[Login, Trust]], *, sure: bool) -> ExitStatus:
    """Ask and write; the status of what became of it."""
    if not sure:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            click.echo("nothing was pinned: there is no terminal to ask on", err=True)
            click.echo(
                "  compare the fingerprints, then add --yes, or --fingerprint with those you know", err=True
            )
            return ExitStatus.REFUSED
        question = f"Pin the keys of {', '.join(login.host for login, _ in new)}? Only 'yes' does"
        if click.prompt(question, default="", show_default=False, err=True) != "yes":
            click.echo("nothing was pinned", err=True)
            return ExitStatus.PENDING
    for path in dict.fromkeys(login.known_hosts for login, _ in new):
        mine = [(login, trust) for login, trust in new if login.known_hosts == path]
        keys = {login.pinned_as: trust.keys for login, trust in mine}
        replaced = [login.pinned_as for login, trust in mine if trust.verdict is Verdict.REPLACED]
        pinning.write(path, pinning.changed(known_hosts.read(path), keys, replaced))
        click.echo(f"pinned in {path}: {', '.join(login.host for login, _ in mine)}", err=True)
    return ExitStatus.OK


def _status(found: Sequence[Trust]) -> ExitStatus:
    if any(trust.verdict in {Verdict.CHANGED, Verdict.OTHER} for trust in found):
        return ExitStatus.REFUSED
    unknown = [trust for trust in found if trust.verdict is Verdict.UNKNOWN]
    if not unknown:
        return ExitStatus.OK
    return ExitStatus.ERROR if len(unknown) == len(found) else ExitStatus.PARTIAL
