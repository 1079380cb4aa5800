"""Installing a package with apt: nothing is removed, nothing else is upgraded, and a lost connection harms nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.errors import StepError
from gonka_state.facts.base import quote
from gonka_state.operations.base import Do, fail

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Result, Step
    from gonka_state.resources.package import PackageResource

NO_INDEX, NOT_THERE, TOO_OLD, OTHERS, BUSY = 3, 4, 5, 6, 7
LOCK_WAIT = 300
"""Seconds to wait for another apt, such as the nightly one."""

# apt takes a mirror that it cannot reach for a warning. It asks nothing, keeps configuration files that somebody edited, and needrestart restarts no service.
_APT = r"""
log=/run/gonka-state-apt.log unit=gonka-state-apt.service
export LC_ALL=C DEBIAN_FRONTEND=noninteractive
options="-q -y -o DPkg::Lock::Timeout=$lock -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
options="$options --no-install-recommends --no-remove -o Acquire::Retries=3"
enough() {
  found=$(apt-cache policy -- "$name" | sed -n 's/^  Candidate: //p')
  case $found in '' | '(none)') return 1 ;; esac
  [ -z "$minimum" ] || dpkg --compare-versions "$found" ge "$minimum"
}
updated=
update() { [ -z "$updated" ] && updated=1 && apt-get $options -o APT::Update::Error-Mode=any update >"$log" 2>&1; }
"""

# The index is fetched only where it does not know the package, or where what it names is gone.
_PREPARE = r"""
failed=
enough || update || failed=1
if ! enough; then
  [ -z "$failed" ] || { cat "$log" >&2; exit 3; }
  case $found in '' | '(none)') exit 4 ;; *) echo "$found"; exit 5 ;; esac
fi
others=$(apt-get $options --simulate install -- "$name" 2>&1) || { echo "$others" >&2; exit 1; }
others=$(echo "$others" | awk -v name="$name" '$1 == "Inst" && $3 ~ /^\[/ && $2 != name { print $2 }')
[ -z "$others" ] || { echo "$others"; exit 6; }
fetch() { apt-get $options --download-only install -- "$name" >"$log" 2>&1; }
fetch || { update && fetch; } || { cat "$log" >&2; exit 1; }
"""

# A unit of its own: dpkg ends its work also where this connection, or we, do not. systemd keeps the command in a file
# and reads it again at every daemon-reload, which another step may cause between making and starting the unit; what
# its own quoting would change on the way (a shell's `$` and `;`) must not be in it.
_INSTALL = r"""
tries=0
while systemctl is-active --quiet "$unit"; do
  tries=$((tries + 1)); [ "$tries" -lt "$lock" ] || exit 7
  sleep 1
done
systemctl reset-failed "$unit" 2>/dev/null
: >"$log"
systemd-run --quiet --wait --collect --unit="$unit" --description="apt-get install $name" \
  --setenv=LC_ALL=C --setenv=DEBIAN_FRONTEND=noninteractive --setenv=NEEDRESTART_SUSPEND=1 \
  --property=StandardOutput=append:"$log" --property=StandardError=append:"$log" \
  apt-get $options install -- "$name" || { tail -n 20 "$log" >&2; exit 1; }
"""


def apply(step: Step[PackageResource]) -> Commands:
    """Install the package, or a newer version of it where the minimum asks for one.

    Raises:
        StepError: no such package, none that is new enough, another package would have to be upgraded or
            removed, or apt's own words.
    """
    wish = step.resource
    values = (("name", wish.name), ("minimum", wish.minimum or ""), ("lock", str(LOCK_WAIT)))
    names = "".join(f"{name}={quote(value)}\n" for name, value in values)
    for about, script in (("fetch", _PREPARE), ("install", _INSTALL)):
        result = yield Do(
            f"{about} {wish.name}", names + _APT + script, deadline=step.timeouts.pull, check=False
        )
        if result.status:
            raise _error(wish, about, result)


def _error(wish: PackageResource, about: str, result: Result) -> StepError:
    said = " ".join(result.stdout.split())
    if result.status == NO_INDEX:
        return fail(
            result, "apt cannot fetch its index", "can the host reach the mirrors of its apt sources?"
        )
    refusals = {
        NOT_THERE: (
            f"apt knows no package {wish.name}, also with a fresh index",
            "correct the name, or add the source that has it to the host's apt sources",
        ),
        TOO_OLD: (
            f"the newest {wish.name} that apt knows is {said}, not {wish.minimum}",
            "lower the minimum, or add a source with a newer one",
        ),
        OTHERS: (
            f"{wish.name} was not installed: apt would upgrade {said.replace(' ', ', ')} too",
            f"upgrade them when it suits the host:\nsudo apt-get install --only-upgrade {said}",
        ),
        BUSY: (f"another package is being installed for more than {LOCK_WAIT} s", "converge again"),
    }
    if result.status in refusals:
        return StepError(refusals[result.status][0], hint=refusals[result.status][1])
    return fail(result, f"could not {about} {wish.name}", _hint(result))


def _hint(result: Result) -> str:
    said = result.stderr
    if "dpkg --configure -a" in said:
        return "dpkg was interrupted; on the host:\nsudo dpkg --configure -a"
    if "--fix-broken" in said or "held broken packages" in said:
        return (
            "packages of this host lack what they depend on; on the host:\nsudo apt-get --fix-broken install"
        )
    if "remove is disabled" in said:
        return "another package is in its way; nothing is ever removed: see apt-get --simulate install on the host"
    if "returned an error code" in said:
        return "a package's own script failed; on the host:\nsudo dpkg --configure -a"
    if "Could not get lock" in said:
        return "another apt works there: wait for it, then converge again"
    return ""
