"""Changing Docker's settings: checked before, loaded once, and taken back where Docker does not answer with them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.facts.base import quote
from gonka_state.facts.docker_daemon import FILE, PENDING
from gonka_state.facts.health import STEADY
from gonka_state.operations.base import Do, fail
from gonka_state.operations.placing import placing
from gonka_state.resources.file import FileResource

if TYPE_CHECKING:
    from gonka_state.operations.base import Commands, Step
    from gonka_state.resources.docker_daemon import DockerDaemonResource

TAKEN_BACK = 4

# Standard input are the declared settings. Other settings and their order stay.
_MERGE = """
import json, sys
def merged(below, above):
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: merged(below.get(key), value) for key, value in above.items()}}
try:
    text = open(sys.argv[1], encoding="utf-8").read()
except FileNotFoundError:
    text = ""
json.dump(merged(json.loads(text) if text.strip() else {}, json.load(sys.stdin)), sys.stdout, indent=2)
print()
"""

# Docker before 23 cannot check a file; there the restart is the check. The mark is set before the file is there, and
# says whether one was there before.
_CHECK = f"""
if command -v dockerd >/dev/null; then
  said=$(dockerd --validate --config-file "$1" 2>&1) ||
    case $said in *'unknown flag: --validate'*) ;; *) echo "$said" >&2; exit 1 ;; esac
fi
if [ -e {FILE} ]; then echo before; else echo new; fi >{PENDING}
"""

_LOAD = rf"""
file=$(readlink -m -- {FILE}) pending={PENDING}
answers() {{
  tries=0
  until timeout 10 docker version >/dev/null 2>&1; do
    tries=$((tries + 1)); [ "$tries" -lt "$patience" ] || return 1
    systemctl is-failed --quiet docker.service && return 1
    sleep 1
  done
}}
start() {{ systemctl reset-failed docker.service docker.socket 2>/dev/null; systemctl restart docker.service 2>/dev/null; }}
back() {{
  # Containers come back one after the other: until they have, nobody can tell the phase of the chain, or who is well.
  sleep {STEADY + 1}; tries=0
  while docker inspect -f '{{{{.State.Running}}}}{{{{if .State.Health}}}} {{{{.State.Health.Status}}}}{{{{end}}}}' $1 2>/dev/null | grep -q -e false -e starting; do
    tries=$((tries + 1)); [ "$tries" -lt "$patience" ] || return 0
    sleep 1
  done
}}
if systemctl is-active --quiet docker.service; then
  running=$(timeout 10 docker ps -q 2>/dev/null)
  since=$(date '+%F %T')
  if [ "$verb" = reload ]; then systemctl reload docker.service; else start; fi && answers || {{
    said=$(journalctl --no-pager -q -o cat -n 200 --since "$since" -u docker.service | grep -v -e level=info -e '^[A-Zd][a-z.]*\(ing\|ed\|:\) ' | tail -n 2)
    if [ "$(cat "$pending")" = before ]; then cp -p -- "$file.gonka-state-previous" "$file"; else rm -f -- "$file"; fi
    start && answers || {{ echo "$said; nor does it answer with the previous one" >&2; exit 1; }}
    rm -f -- "$pending"; echo "$said" >&2; exit {TAKEN_BACK}
  }}
  if [ "$verb" = restart ] && [ -n "$running" ]; then back "$running"; fi
fi
rm -f -- "$pending"
"""


def apply(step: Step[DockerDaemonResource]) -> Commands:
    """Write the settings, then reload Docker where that is enough, else restart it; a stopped one stays stopped.

    Raises:
        StepError: Docker refuses the settings, or did not answer with them (then the previous file is in place
            and Docker runs with it).
    """
    wish = step.resource
    if step.differs("settings"):
        merge = f'python3 -I -B -c {quote(_MERGE)} "$target"'
        file = FileResource(name=FILE, validate_with=_CHECK)
        script = f"mkdir -p -m 0755 /etc/docker\n{placing(file, merge)}"
        yield Do(f"write {FILE}", script, stdin=json.dumps(wish.settings))
    verb = "reload" if wish.reloads(step.change.attributes) else "restart"
    patience = min(step.timeouts.healthy, 60)
    result = yield Do(
        f"{verb} Docker",
        f"verb={verb} patience={patience}\n{_LOAD}",
        deadline=step.timeouts.healthy,
        check=False,
    )
    if result.status == TAKEN_BACK:
        raise fail(
            result,
            "Docker did not answer with the new settings; the previous file is in place and Docker answers",
            "is one of them also an option of dockerd in its unit? systemctl cat docker",
        )
    if result.status:
        raise fail(result, "Docker does not answer", "on the host:\nsudo journalctl -u docker -n 50")
