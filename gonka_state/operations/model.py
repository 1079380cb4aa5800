"""Downloading a model: `hf download` in a transient unit, so that a lost connection loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.core.units import human_bytes
from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.facts.model_cache import folder
from gonka_state.operations.base import Do, Pause, Say, Step, fail
from gonka_state.operations.model_job import Job, of_hub
from gonka_state.operations.model_progress import Progress, Status
from gonka_state.operations.model_removal import remove

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping

    from gonka_state.operations.base import Command, Commands, Result
    from gonka_state.operations.model_job import Room
    from gonka_state.resources.model import ModelResource

RESERVE = 1_000_000_000
"""Bytes that must stay free: logs and containers live on the same disk on small hosts."""

# A download reaches the hub for hours: systemd starts it again twice, whole files are kept.
_PROPERTIES = ("Type=exec", "RemainAfterExit=yes", "Restart=on-failure", "RestartSec=10", "StartLimitBurst=3")

_START = r"""
PATH=$PATH:/usr/local/bin
case $(systemctl show --value -p SubState "$unit") in running | start | auto-restart) exit 0 ;; esac
systemctl stop "$unit" 2>/dev/null
systemctl reset-failed "$unit" 2>/dev/null
client=$(command -v -- "$client") || { echo "$client is not installed" >&2; exit 127; }
mkdir -p -- "$home" || exit 1
"""

# The blob may be a link into the store that all models share; both ends are bad then. Nothing outside the
# cache is removed (a link that leads there is enough), and nothing whose size the look did not see.
_REMOVE = r"""
top=$(readlink -f -- "$home/hub") && root=$(readlink -f -- "$home/hub/$folder") || exit 1
remove() {
  [ "$(stat -Lc %s -- "$1" 2>/dev/null)" = "$2" ] || return 0
  end=$(readlink -f -- "$1") blob=$(readlink -- "$1") || blob=$1
  case $blob in /*) ;; *) blob=${1%/*}/$blob ;; esac
  blob=$(readlink -f -- "${blob%/*}")/${blob##*/}
  for path in "$blob" "$end"; do
    case $path in "$top"/* | "$root"/*) rm -f -- "$path" || exit 1 ;; esac
  done
  if [ -e "$1" ]; then echo "$1 leads out of $top to $end: remove it by hand" >&2; exit 1; fi
}
"""


# A download that was killed leaves its file, and the client never goes on with it. One that somebody has open
# is somebody's download, in a container too.
_LEFTOVERS = r"""
removed=0
open=$(find -L /proc/[0-9]*/fd -maxdepth 1 -type f -printf '%D:%i\n' 2>/dev/null)
for file in "$blobs"/*.incomplete; do
  [ -f "$file" ] || continue
  printf '%s\n' "$open" | grep -qxF "$(stat -c %d:%i -- "$file")" && continue
  size=$(du -B1 -- "$file" | cut -f 1)
  rm -f -- "$file" && removed=$((removed + size))
done
echo "$removed"
"""

# As the client writes it: the commit and nothing else, never half.
_NAME = r"""
refs="$home/hub/$folder/refs"
mkdir -p -- "$refs" && printf %s "$commit" > "$refs/.$ref.gonka-state" && mv -- "$refs/.$ref.gonka-state" "$refs/$ref"
"""


def apply(step: Step[ModelResource]) -> Commands:
    """Follow the download that runs, or start one; then name the revision, once all of it is there.

    Raises:
        StepError: the hub or the disk refuses, the client failed (with its last words), or
            `timeouts.model` is over (the download then goes on without us).
    """
    job = Job.of(step.resource)
    if step.change.action is Action.DELETE:
        yield from remove(job)
        return
    if step.change.action is Action.CREATE or step.differs("revision"):
        yield from _fetch(job, step)
    if step.resource.ref:
        names = {
            "home": job.home,
            "folder": folder(job.model),
            "commit": job.revision,
            "ref": step.resource.ref,
        }
        yield Do(f"name {job.revision[:12]} {step.resource.ref}", _assigned(names.items()) + _NAME)


def _fetch(job: Job, step: Step[ModelResource]) -> Commands:
    status = yield from _status(job)
    if status.running:
        if status.description != job.description:
            raise StepError(
                f"{job.unit} is busy with {status.description}", hint=f"wait for it, or {job.cancel}"
            )
        yield Say(f"already downloading in {job.unit}: following it")
        room = of_hub((yield job.ask()))
    else:
        room = of_hub((yield job.ask()))
        # Bad bytes of the right size look like a whole file there.
        room = replace(room, needed=room.needed + int(step.details.get("again", 0)))
        _refuse(job, room)
        yield from _remove_bad(job, step.details.get("bad", {}))
        yield from _remove_leftovers(job)
        yield Say(f"{human_bytes(room.needed)} to fetch, {human_bytes(room.free)} free at {job.home}")
        yield from _start(job)
    yield from _follow(job, Progress(room.total, room.foreign), step.timeouts.model)


def _status(job: Job) -> Generator[Command, Result, Status]:
    return Status.read((yield job.look()))


def _refuse(job: Job, room: Room) -> None:
    """Say no before the first byte."""
    if room.refused:
        raise StepError(f"{job.endpoint}: {room.refused}", hint=_hub_hint(job, room))
    if room.free < room.needed + RESERVE:
        raise StepError(
            f"{human_bytes(room.needed)} to fetch, but only {human_bytes(room.free)} free at {job.home}"
            f" ({human_bytes(RESERVE)} must stay free)",
            hint="make room (--unmanaged lists models and unfinished files that nobody needs) or declare another home",
        )


def _hub_hint(job: Job, room: Room) -> str:
    if room.status in {401, 403, 404}:
        return f"has {job.model} a revision {job.revision}, and may anybody read it? (gated models are not supported yet)"
    return f"can the host reach {job.endpoint}?"


def _remove_leftovers(job: Job) -> Commands:
    result = yield Do(f"remove unfinished files of {job.model}", f"blobs={quote(job.blobs)}\n{_LEFTOVERS}")
    removed = int(result.stdout) if result.stdout.strip().isdecimal() else 0
    if removed:
        yield Say(f"{human_bytes(removed)} of unfinished files removed: nobody goes on with them")


def _remove_bad(job: Job, bad: Mapping[str, int]) -> Commands:
    if not bad:
        return
    calls = "".join(quote("remove", path, str(size)) + "\n" for path, size in sorted(bad.items()))
    # The client takes every blob that is there for good: without this it would change nothing.
    yield Do(
        f"remove {len(bad)} bad file(s)",
        f"home={quote(job.home)} folder={quote(folder(job.model))}\n{_REMOVE}{calls}",
    )


def _start(job: Job) -> Commands:
    lines = _assigned(_variables(job))
    result = yield Do(
        f"start {job.unit}",
        f'{lines}{_START}exec {quote(*_run(job))} "$client" {quote(*job.words)}',
        check=False,
    )
    if result.status == 127:  # noqa: PLR2004 (what the shell says of a program that is not there)
        raise StepError(
            f"{job.client} is not installed for root",
            hint="install huggingface_hub's command line, or name it with an absolute path: client:",
        )
    if result.status:
        raise fail(result, f"{job.unit} did not start")


def _assigned(values: Iterable[tuple[str, str]]) -> str:
    return "".join(f"{name}={quote(value)}\n" for name, value in values)


def _variables(job: Job) -> Iterator[tuple[str, str]]:
    yield from (("unit", job.unit), ("client", job.client), ("home", job.home))


def _run(job: Job) -> list[str]:
    """systemd-run with everything but the program. A token for gated models would be a credential here."""
    environment = [f"--setenv={name}={value}" for name, value in job.environment.items()]
    properties = [f"--property={setting}" for setting in (*_PROPERTIES, "StartLimitIntervalSec=86400")]
    return [
        "systemd-run",
        "--quiet",
        f"--unit={job.unit}",
        f"--description={job.description}",
        *properties,
        *environment,
        "--",
    ]


def _follow(job: Job, progress: Progress, deadline: int) -> Commands:
    while True:
        status = yield from _status(job)
        progress.add(status)
        if status.succeeded:
            yield Do(f"forget {job.unit}", f"systemctl stop {quote(job.unit)}", check=False)
            return
        if not status.running:
            yield from _fail(job, status, progress)
        yield Say(progress.line + (f", attempt {status.restarts + 1}" if status.restarts else ""))
        if progress.seconds > deadline:
            raise StepError(
                f"not done after {deadline} s: {progress.bytes}",
                hint=f"it goes on in {job.unit}: converge again to follow it, or {job.cancel}",
            )
        yield Pause(progress.pause)


def _fail(job: Job, status: Status, progress: Progress) -> Commands:
    """Raise with the client's own last words; they are read before the unit is forgotten."""
    if not status.loaded:
        raise StepError(
            f"{job.unit} is gone at {progress.bytes}: it was stopped, or the host restarted",
            hint="converge again: whole files are kept",
        )
    result = yield job.last_words(status.invocation)
    said = "; ".join(line for line in result.stdout.splitlines() if line.strip())
    what = f"{job.client} download failed ({status.result}, exit status {status.exit}) at {progress.bytes}"
    raise StepError(
        f"{what}: {said[-600:]}" if said else what,
        hint=f"journalctl -u {job.unit} on the host has the rest; converge again keeps whole files",
    )
