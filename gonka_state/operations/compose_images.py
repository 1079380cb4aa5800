"""Fetches the images of one compose project, one after the other, each checked for its platform first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gonka_state.errors import StepError
from gonka_state.facts import compose
from gonka_state.facts.base import quote
from gonka_state.operations.base import Commands, Do, Say, Step
from gonka_state.operations.pull import pull

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from gonka_state.operations.base import Command, Result
    from gonka_state.resources.compose_images import ComposeImagesResource

# Variables nobody sets and, per service, the image that compose names for it.
_NAMES = r"""
if ! config=$(compose "$@" config --format json 2>&1); then
  words=$(compose "$@" config --quiet 2>&1); { variables_here; printf '%s\n' "$words" | terse; } | redacted >&2; exit 1
fi
printf '%s\n' "$config" | grep '^time=' | blank
printf '%s\n' "$config" | shape
"""

# The engine asks the registry itself: with its own mirrors, certificates and insecure registries, as for a
# pull. (`docker manifest inspect` is the client's, and knows none of these.)
_OFFERED = r"""
docker image inspect --format 'here {{.Os}}/{{.Architecture}}' -- "$IMAGE" 2>/dev/null && exit 0
command -v curl >/dev/null || { echo 'not asked: curl is not installed'; exit 0; }
curl -sS --max-time 60 -w '\n%{http_code}' --unix-socket "${DOCKER_SOCKET:-/var/run/docker.sock}" \
  "http://docker/distribution/$IMAGE/json" 2>&1
"""


def apply(step: Step[ComposeImagesResource]) -> Commands:
    """Fetch what is missing; starts, stops and removes nothing.

    Raises:
        StepError: a variable would be empty, the registry refuses, or an image is of another platform.
    """
    resource = step.resource
    kept = step.details.get("kept", ())
    images = yield from _named(resource, [name for name in resource.services if name not in kept])
    missing: list[str] = []
    for image in images:
        here = yield from _check(resource, image)
        missing += [] if here else [image]
    for number, image in enumerate(missing, 1):
        yield Say(f"image {number} of {len(missing)}: {image}")
        yield from pull(image, step.timeouts.pull)
        yield from _arrived(resource, image)


def _named(resource: ComposeImagesResource, services: list[str]) -> Generator[Command, Result, list[str]]:
    where = quote(*compose.variable_files(resource))
    head = [compose.SHELL, compose.LOOK, f"set -- {compose.arguments(resource)}"]
    head += [f"variables_here() {{ variables {where}; }}"]
    if resource.env_file:
        env_file = quote(compose.resolved(resource, resource.env_file))
        head += [
            f"[ -e {env_file} ] || {{ early {compose.arguments(compose.without_variables(resource))}; exit; }}"
        ]
    asked = yield Do("ask compose for the images", "\n".join(head) + _NAMES)
    rows = [line.split("\t") for line in asked.stdout.splitlines()]
    blank = [row[1] for row in rows if row[0] == "blank"]
    if blank:
        raise StepError(
            f"compose would leave {', '.join(blank)} empty in {resource.directory}: nobody sets {'them' if len(blank) > 1 else 'it'}",
            hint=f"set it in {resource.env_file or '.env'} of that project; nothing is started from such a file",
        )
    return sorted({image for service, image in _images(rows) if service in services})


def _images(rows: list[list[str]]) -> Iterator[tuple[str, str]]:
    service = ""
    for row in rows:
        if row[0] == "service":
            service = row[1]
        elif row[0] == "image":
            yield service, row[1]


def _check(resource: ComposeImagesResource, image: str) -> Generator[Command, Result, bool]:
    """Whether the right image is here; before a pull the registry says which platforms it has."""
    answer = yield Do(f"ask for the platforms of {image}", f"IMAGE={quote(image)}\n{_OFFERED}", again=True)
    if answer.stdout.startswith("here "):
        return answer.stdout.split()[1] in {resource.platform, compose.UNTOLD}
    platforms = _offered(answer.stdout)
    if platforms and resource.platform not in platforms:
        raise StepError(
            f"{image} is offered for {', '.join(platforms)}, and {resource.platform} is wanted",
            hint="name an image of that platform in the compose files; nothing was pulled",
        )
    if not platforms:
        yield Say(f"the platform of {image} is looked at after the pull: {_words(answer.stdout)}")
    return False


def _offered(answer: str) -> list[str]:
    """The platforms in the engine's answer; none where it has none to tell."""
    body, _, code = answer.rpartition("\n")
    try:
        found = json.loads(body)["Platforms"] if code == "200" else []
        return sorted({f"{item['os']}/{item['architecture']}" for item in found} - {"unknown/unknown"})
    except (ValueError, KeyError, TypeError):
        return []


def _words(answer: str) -> str:
    body = answer.rpartition("\n")[0] or answer
    try:
        return str(json.loads(body)["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return body.strip()[:200] or "no answer"


def _arrived(resource: ComposeImagesResource, image: str) -> Commands:
    result = yield Do(
        f"look at {image}",
        f"docker image inspect --format '{{{{.Os}}}}/{{{{.Architecture}}}}' -- {quote(image)}",
        again=True,
    )
    if result.stdout.strip() not in {resource.platform, compose.UNTOLD}:
        raise StepError(
            f"{image} came as {result.stdout.strip()}, and {resource.platform} is wanted",
            hint="name an image of that platform in the compose files",
        )
