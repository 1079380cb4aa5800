"""Fetches one container image in a unit of systemd, telling how far it is."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from gonka_state.core.units import human_bytes
from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do, Pause, Say

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Result

_POLL = 2
_TELL = 10

# In a unit of systemd the pull outlives a lost connection, and a second run joins it.
_PULL = r"""
systemctl is-active --quiet "$UNIT" && exit 0
systemctl reset-failed "$UNIT" 2>/dev/null
systemd-run --quiet --unit="$UNIT" --setenv=HOME="${HOME:-/root}" --property=RuntimeMaxSec="$1" docker pull -- "$IMAGE"
"""

# Without a terminal docker says when a layer is complete, not how far it is: the bytes in flight are the
# size of its temporary files, or of containerd's where images are kept there (what Docker 29 begins with).
_PULLING = r"""
state=$(systemctl show -p ActiveState --value "$UNIT")
if docker image inspect -- "$IMAGE" >/dev/null 2>&1; then echo here; else echo missing; fi
printf '%s\n' "$state"
root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
du -cb "${root:-/var/lib/docker}"/tmp/GetImageBlob* /var/lib/containerd/io.containerd.content.v1.content/ingest/*/data \
  2>/dev/null | tail -n 1 | cut -f 1 | grep . || echo 0
journalctl --quiet -o cat "_SYSTEMD_INVOCATION_ID=$(systemctl show -p InvocationID --value "$UNIT")" 2>/dev/null |
  awk '/: Pulling fs layer$/ { all++ } /: (Pull complete|Already exists)$/ { done++ } /: Already exists$/ { all++ }
       { last = $0 } END { print done + 0; print all + 0; print last }'
"""


def pull(image: str, seconds: int) -> Commands:
    """Pull `image` within `seconds`; joins a pull that is already running.

    Raises:
        StepError: the registry refused, or time is up.
    """
    unit = f"gonka-pull-{hashlib.sha256(image.encode()).hexdigest()[:12]}"
    names = f"UNIT={quote(unit)}\nIMAGE={quote(image)}\nset -- {seconds}"
    yield Do(f"pull {image}", names + _PULL, again=True)
    waited, told = 0, ""
    while waited <= seconds:
        answer = yield Do("see how far the pull is", names + _PULLING, again=True)
        done, progress = _progress(answer, image)
        if done:
            yield Say(f"{image} is here, {waited} s")
            return
        if progress != told or waited % _TELL == 0:
            told = progress
            yield Say(f"pulling {image}: {progress}, {waited} s")
        yield Pause(_POLL)
        waited += _POLL
    raise StepError(
        f"{image} is not here after {waited} s; the pull was given up",
        hint="layers that are complete are kept: run converge again, or raise timeouts.pull",
    )


def _progress(answer: Result, image: str) -> tuple[bool, str]:
    """Whether the image is here, else how far the pull is.

    Raises:
        StepError: nobody pulls any more.
    """
    here, state, flying, done, layers, last = [*answer.stdout.split("\n"), *[""] * 6][:6]
    if here == "here":
        return True, ""
    if state not in {"active", "activating"}:
        raise StepError(
            f"{image} cannot be pulled: {last or state}",
            hint="check the image's name in the compose files and this host's way to the registry",
        )
    if not layers.isdigit() or layers == "0":
        return False, "asking the registry"
    return False, f"{done} of {layers} layers, {human_bytes(int(flying or 0))} in flight"
