"""Makes, starts, renews or removes one container of a compose project, and waits until it is healthy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gonka_state.core.change import Action
from gonka_state.errors import StepError
from gonka_state.facts import compose
from gonka_state.facts.base import quote
from gonka_state.facts.container import parse_container
from gonka_state.facts.health import ailment
from gonka_state.operations.base import Commands, Do, Pause, Result, Say, Step, fail
from gonka_state.operations.compose_removal import remove
from gonka_state.operations.pull import pull
from gonka_state.resources.compose_service import ComposeServiceResource

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from gonka_state.facts.container import Container
    from gonka_state.operations.base import Command
    from gonka_state.resources.registration import RegistrationResource
    from gonka_state.resources.warm_key import WarmKeyResource

LOG_LINES = 20
_POLL = 2
_TELL = 10

# Which image compose would take, and whether it is here; nothing for a service that is built.
_IMAGE = r"""
config=$(compose "$@" config --format json 2>/dev/null) || {
  words=$(compose "$@" config --quiet 2>&1); { variables_here; printf '%s\n' "$words" | terse; } | redacted >&2; exit 1; }
image=$(printf '%s\n' "$config" | shape | awk -F '\t' -v s="$SERVICE" '
  $1 == "service" { at = $2; if (at == s) found = 1 }
  at == s && $1 == "image" { print $2 }
  END { exit !found }') || { echo "the compose files have no service $SERVICE" >&2; exit 1; }
[ -n "$image" ] || { echo built; exit 0; }
if docker image inspect -- "$image" >/dev/null 2>&1; then echo here; else echo missing; fi
printf '%s\n' "$image"
"""

_UP = r"""
PIN=$(cat)
if [ -n "$PIN" ]; then words=$(printf '%s\n' "$PIN" | compose "$@" --file - $VERB "$SERVICE" 2>&1)
else words=$(compose "$@" $VERB "$SERVICE" 2>&1 </dev/null); fi
rc=$?
[ "$rc" = 0 ] || { { variables_here; printf '%s\n' "$words" | terse; } | redacted >&2; exit "$rc"; }
"""

# The clock, a line per URL with its status, a line with tabs per container.
_SEE = r"""
ids=$(compose "$@" ps --all --quiet --no-trunc "$SERVICE" 2>/dev/null </dev/null)
SEEN=
[ -z "$ids" ] || SEEN=$(docker inspect --type container --format "$FORMAT" $ids)
date +%s
asked
printf '%s\n' "$SEEN"
"""

_LOGS = r"""
ids=$(compose "$@" ps --all --quiet --no-trunc "$SERVICE" 2>/dev/null </dev/null)
for id in $ids; do
  { docker inspect --format '{{range .Config.Env}}{{println .}}{{end}}' "$id"; variables_here
    docker logs --tail "$LINES" "$id" 2>&1; } | redacted
done
"""


def apply(step: Step[ComposeServiceResource]) -> Commands:
    """Close the gap of one service; never touches its dependencies, volumes or neighbours."""
    if step.change.action is Action.DELETE:
        yield from remove(step)
    elif not step.resource.running:
        yield from _park(step)
    else:
        yield from _run(step)
        yield from until_healthy(step)


def declared_service(
    step: Step[RegistrationResource] | Step[WarmKeyResource], purpose: str
) -> ComposeServiceResource:
    """The declared service that a resource names by `service` and `directory`, in whose container a program is run.

    Raises:
        StepError: nobody declared it.
    """
    wish = step.resource
    named = wish.service, wish.directory
    for other in step.here.declared:
        if isinstance(other, ComposeServiceResource) and (other.name, other.directory) == named:
            return other
    raise StepError(f"{wish.directory} has no declared service {wish.service} {purpose}")


def project_script(resource: ComposeServiceResource, body: str, **values: str) -> str:
    """A script that knows the project: its own options in $@, the service in $SERVICE."""
    lines = [compose.SHELL, compose.LOOK, f"set -- {compose.arguments(resource)}"]
    lines += [f"variables_here() {{ variables {quote(*compose.variable_files(resource))}; }}"]
    lines += [f"{name}={quote(value)}" for name, value in {"SERVICE": resource.name, **values}.items()]
    return "\n".join(lines) + body


def _run(step: Step[ComposeServiceResource]) -> Commands:
    """Make or start the container, with its image fetched first so that the interruption is short."""
    resource, details = step.resource, step.details
    if details.get("health") == "unhealthy" and _only(step, "healthy"):
        yield from compose_command(step, f"restart {resource.name}", "restart --no-deps")
        return
    if _only(step, "healthy"):
        return
    pin = str(details.get("pin") or "")
    if not pin:
        yield from _fetch(step)
    verb = "up --detach --no-deps --quiet-pull"
    if details.get("recreate"):
        verb += " --force-recreate"
    yield from compose_command(step, f"docker compose up {resource.name}", verb, pin)


def _only(step: Step[ComposeServiceResource], attribute: str) -> bool:
    return {item.name for item in step.change.attributes} == {attribute}


def compose_command(step: Step[ComposeServiceResource], about: str, verb: str, pin: str = "") -> Commands:
    """One command of compose for the service alone; `pin` keeps a running image where the tag moved on.

    Raises:
        StepError: compose failed, with its own words, secrets masked on the host.
    """
    stdin = f'services:\n  "{step.resource.name}": {{image: "{pin}"}}\n' if pin else ""
    script = project_script(step.resource, _UP, VERB=verb)
    result = yield Do(
        about, script, stdin=stdin, deadline=max(step.timeouts.step, 60), check=False, turn="compose"
    )
    if result.status:
        raise fail(
            result, about, hint="docker compose ps -a in the project's directory shows what was made so far"
        )


def _park(step: Step[ComposeServiceResource]) -> Commands:
    """A service that is wanted, but not running."""
    if step.change.action is Action.CREATE or step.differs("current") or step.differs("image"):
        yield from _fetch(step)
        yield from compose_command(
            step, f"make {step.resource.name} without a start", "up --no-start --no-deps"
        )
    if step.differs("running"):
        yield from compose_command(step, f"stop {step.resource.name}", "stop")


def _fetch(step: Step[ComposeServiceResource]) -> Commands:
    """Pull what is still missing: usually the images of the whole project are here by now."""
    resource = step.resource
    asked = yield Do("ask compose for the image", project_script(resource, _IMAGE), again=True)
    here, *rest = asked.stdout.split("\n")
    if here != "missing" or not rest:
        return
    yield from pull(rest[0], step.timeouts.pull)


def until_healthy(step: Step[ComposeServiceResource]) -> Commands:
    """Wait, telling every ten seconds what is missing."""
    resource = step.resource
    asked = f"asked() {{ answers 5 {quote(*compose.urls(resource))}; }}" if resource.url else "asked() { :; }"
    script = project_script(resource, f"\n{asked}{_SEE}")
    limit = resource.healthy_within or step.timeouts.healthy
    began: float | None = None
    told = 0.0
    while True:
        result = yield Do(f"see whether {resource.name} is healthy", script, again=True)
        container, now, problem = _judge(result, resource.url)
        began = now if began is None else began
        waited = now - began
        if not problem:
            yield Say(f"{resource.name} is healthy, {waited:.0f} s")
            return
        gone = container is not None and container.status in {"exited", "dead"}
        if gone or waited >= limit:
            yield from _explain(step, f"{resource.name} is not healthy after {waited:.0f} s: {problem}")
        if waited - told >= _TELL:
            told = waited
            yield Say(f"{resource.name}: {problem}, {waited:.0f} s")
        yield Pause(_POLL)


def _judge(result: Result, urls: Sequence[str]) -> tuple[Container | None, float, str]:
    """The youngest container of the service, the host's clock, and why it is not healthy."""
    now, *lines = result.stdout.splitlines() or [""]
    try:
        found = (parse_container(line) for line in lines if "\t" in line)
        containers = sorted(found, key=lambda item: item.started)
        pairs = (line.split(" ", 1) for line in lines if line and "\t" not in line)
        answers = {url: int(code) for code, url in pairs}
        moment = float(now)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StepError(f"docker's answer cannot be understood: {error}") from error
    if not containers:
        return None, moment, "there is no container"
    return containers[-1], moment, ailment(containers[-1], moment, urls, answers)


def _explain(step: Step[ComposeServiceResource], what: str) -> Generator[Command, Result, None]:
    """Fail with the container's last words, secrets masked on the host.

    Raises:
        StepError: always.
    """
    script = project_script(step.resource, _LOGS, LINES=str(LOG_LINES))
    logs = yield Do(f"read the log of {step.resource.name}", script, again=True, check=False)
    lines = [f"    {line}" for line in logs.stdout.splitlines()[-LOG_LINES:]]
    said = "\n".join(["", "  last lines of its log:", *lines]) if lines else "; its log is empty"
    raise StepError(
        what + said,
        hint="the container is left as it is; correct the cause and converge again, or raise healthy_within of the service (timeouts.healthy)",
    )
