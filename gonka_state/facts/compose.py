"""Shell words that the look at a compose project and its operation share.

Both must ask compose in exactly the same way: another working directory, profile or environment would
give another config hash. What compose and containers say passes through `redacted`, on the host.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from gonka_state.facts.base import quote

if TYPE_CHECKING:
    from gonka_state.resources.compose_images import ComposeImagesResource
    from gonka_state.resources.compose_service import ComposeServiceResource

# `compose` runs without the login's environment: a variable exported there would win over the env file.
# `redacted` reads NAME=value lines, then a line `#@#`, then a text, and prints the text without the
# values of names that look secret: compose quotes values in its errors ("invalid hostPort: hunter2").
# `terse` drops warnings and progress (" Container api Starting"), and what compose quotes from a line of
# the env file that it cannot read.
SHELL = r"""
compose() { env -i PATH="$PATH" HOME="${HOME:-/root}" docker compose "$@"; }
redacted() {
  awk '
    text { words(); next }
    $0 == "#@#" { text = 1; next }
    {
      sub(/^[ \t]*(export[ \t]+)?/, ""); at = index($0, "="); if (!at) next
      name = tolower(substr($0, 1, at - 1)); value = substr($0, at + 1); sub(/[ \t\r]+$/, "", value)
      if (value ~ /^".*"$/ || value ~ /^\047.*\047$/) value = substr(value, 2, length(value) - 2)
      if (value != "" && name ~ /pass|secret|token|mnemonic|private|credential|auth|key$/) secret[++n] = value
    }
    function words(   i, at, rest, done) {
      for (i = 1; i <= n; i++) {
        rest = $0; done = ""
        while ((at = index(rest, secret[i]))) {
          done = done substr(rest, 1, at - 1) "***"; rest = substr(rest, at + length(secret[i]))
        }
        $0 = done rest
      }
      gsub(/:\/\/[^\/@ :]*:[^\/@ ]+@/, "://***@"); print
    }'
}
variables() { cat -- "$@" 2>/dev/null; printf '\n#@#\n'; }
terse() {
  sed -e '/level=warning/d' -e '/^ *[A-Z][a-z]* [^ ]* [A-Z][a-z]* *$/d' -e 's/\(: line [0-9]*\): .*/\1 cannot be read/'
}
"""

# One line per container: project, service and image for the shell, the rest as JSON. Only docker's typed
# names (.ID, not .Id): at any other it falls back to raw JSON, where .State.Health may not be there.
# environment: it holds secrets.
_LABEL = '{{{{index .Config.Labels "com.docker.compose.{}"}}}}'
_FORMAT = "\t".join((_LABEL.format("project"), _LABEL.format("service"), "{{.Config.Image}}")) + (
    '\t{"id":{{json .ID}},"name":{{json .Name}},"image_id":{{json .Image}},"status":{{json .State.Status}},'
    '"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}},'
    '"exit":{{.State.ExitCode}},"restarts":{{.RestartCount}},"started":{{json .State.StartedAt}},'
    '"policy":{{json .HostConfig.RestartPolicy.Name}},"ports":{{json .NetworkSettings.Ports}},'
    '"addresses":"{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",'
    '"hash":{{json (index .Config.Labels "com.docker.compose.config-hash")}},'
    '"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}},'
    '"directory":{{json (index .Config.Labels "com.docker.compose.project.working_dir")}},'
    '"files":{{json (index .Config.Labels "com.docker.compose.project.config_files")}}}'
)

# For every section that speaks to Docker: whether it may be asked at all.
ENGINE = r"""
engine() {
  command -v docker >/dev/null || { echo 'docker is not installed' >&2; return 127; }
  # Asking a stopped engine would start it: systemd listens on its socket.
  pid=$(cat /run/docker.pid 2>/dev/null) && [ -d "/proc/$pid" ] && return 0
  case $(systemctl show -p LoadState -p ActiveState docker.service 2>/dev/null | tr '\n' ' ') in
    *LoadState=loaded*ActiveState=inactive*|*LoadState=loaded*ActiveState=failed*)
      echo 'the Docker engine is stopped' >&2; return 3 ;;
  esac
}
"""

# Compose's JSON is indented by two and its strings hold no newline: a key of a service stands behind
# exactly six blanks. Nothing but names, images and counts passes the awk; the rest may be secret.
_FUNCTIONS = (
    ENGINE
    + r"""
seen() {
  ids=$(docker ps -aq --no-trunc) || return
  date +%s
  [ -z "$ids" ] || docker inspect --type container --format "$FORMAT" $ids
}
replay() { if [ "$RC" = 0 ]; then printf '%s\n' "$SEEN"; else printf '%s\n' "$SEEN" >&2; return "$RC"; fi; }
images() { docker images --no-trunc --digests --format '{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}'; }
platforms() {
  ids=$(docker images --quiet --no-trunc | sort -u)
  [ -z "$ids" ] || docker image inspect --format '{{.ID}}	{{.Os}}/{{.Architecture}}' $ids
}
networks() {
  docker network ls --filter label=com.docker.compose.project \
    --format '{{.ID}}{{"\t"}}{{.Label "com.docker.compose.project"}}'
}
blank() { sed -n 's/.*level=warning msg="The \\"\([A-Za-z0-9_]*\)\\" variable is not set.*/blank\t\1/p' | sort -u; }
shape() {
  awk '
    function value(line) { sub(/^[^:]*: "/, "", line); sub(/",?$/, "", line); return line }
    /^  "name": "/ { print "name\t" value($0) }
    /^  "/ { inside = ($0 ~ /^  "services": \{/) }
    !inside { next }
    /^    "[^"]*": \{/ { name = $0; sub(/^ *"/, "", name); sub(/": \{.*$/, "", name); print "service\t" name }
    /^      "image": "/ { print "image\t" value($0) }
    /^      "container_name": "/ { print "container\t" value($0) }
    /^ +"(scale|replicas)": [0-9]+,?$/ { gsub(/[^0-9]/, ""); print "scale\t" $0 }'
}
pins() {
  awk -F '\t' '
    $1 == "#@#" { running = 1; next }
    !running && $1 == "name" { project = $2 }
    !running && $1 == "service" { service = $2 }
    !running && $1 == "image" { want[service] = $2 }
    index($4, "\"oneoff\":\"True\"") { next }
    running && $1 == project && ($2 in want) && want[$2] != $3 && !seen[$2]++ {
      printf "  \"%s\": {image: \"%s\"}\n", $2, $3
    }'
}
# Before the env file is written: what compose names without any variable.
early() { compose "$@" config --no-interpolate --format json 2>/dev/null | shape | grep -v '^image.*[$]'; }
project() {
  missing=$(printf '%s\n' "$1" | while IFS= read -r path; do
    [ -e "$path" ] || printf 'missing\t%s\n' "$path"; done)
  [ -z "$missing" ] || { printf '%s\n' "$missing"; return 0; }
  variables=$2; shift 2
  # Warnings come before the file, each on a line of its own.
  if ! config=$(compose "$@" config --format json 2>&1); then
    docker compose version >/dev/null 2>&1 || { echo 'the compose plugin is not installed' >&2; return 127; }
    words=$(compose "$@" config --quiet 2>&1)
    { eval "variables $variables"; printf '%s\n' "$words" | terse; } | redacted >&2
    return 1
  fi
  shaped=$(printf '%s\n' "$config" | shape)
  printf '%s\n' "$shaped"
  printf '%s\n' "$config" | grep '^time=' | blank
  # With the running images put back, a hash that differs means that something else differs.
  pinned=$({ printf '%s\n#@#\n' "$shaped"; printf '%s\n' "$SEEN"; } | pins)
  if [ -n "$pinned" ]; then
    printf 'services:\n%s\n' "$pinned" | compose "$@" --file - config --hash '*' 2>/dev/null
  else compose "$@" config --hash '*' 2>/dev/null </dev/null; fi | sed 's/^/hash /; s/ /\t/g'
}
# own SERVICE DIRECTORY: its youngest container and that one's address, from the lines of docker inspect.
own() {
  printf '%s\n' "$SEEN" | awk -F '\t' -v s="$1" -v d="\"directory\":\"$2\"" '
    function value(key, text) { return match(text, "\"" key "\":\"[^\" ]*") ? substr(text, RSTART + length(key) + 4, RLENGTH - length(key) - 4) : "" }
    index($4, "\"oneoff\":\"True\"") { next }
    $2 == s && index($4, d) && index($4, "\"status\":\"running\"") && value("started", $4) > start {
      start = value("started", $4); id = value("id", $4); at = value("addresses", $4) }
    END { if (id != "") print id, at ~ /^[0-9a-f.:]+$/ ? at : "" }'
}
# answer LIMIT URL [SERVICE DIRECTORY]: with a service, the host part of the URL is that service.
answer() {
  if [ -n "${3:-}" ]; then at=$(own "$3" "$4"); at=${at#* }
    curl -s -o /dev/null -w '%{http_code}' --max-time "$1" --connect-to "$3::${at:-127.0.0.1}:" -- "$2"
  else curl -s -o /dev/null -w '%{http_code}' --max-time "$1" -- "$2"; fi
}
answers() {
  command -v curl >/dev/null || { echo 'curl is not installed' >&2; return 127; }
  limit=$1; shift
  for item in "$@"; do
    url=${item%% *} service= directory=
    case $item in *' '*) service=${item#* } directory=${service#* } service=${service%% *} ;; esac
    printf '%s %s\n' "$(answer "$limit" "$url" "$service" "$directory")" "$url" &
  done; wait
}
cards() { timeout 20 nvidia-smi -L; }
cards_in() {
  id=$(own "$1" "$2"); id=${id%% *}
  [ -z "$id" ] || { printf '%s\n' "$id"; timeout 20 docker exec "$id" nvidia-smi -L; }
}
"""
)

UNTOLD = "/"
"""The platform of an image whose layers containerd has unpacked and not kept: it runs, and Docker cannot tell."""

LOOK = f"FORMAT={quote(_FORMAT)}{_FUNCTIONS}"


class ComposeProject(Protocol):
    """What a project's services and its images have in common."""

    @property
    def directory(self) -> str:
        """The project directory."""

    @property
    def files(self) -> tuple[str, ...]:
        """Its compose files."""

    @property
    def env_file(self) -> str | None:
        """Where its variables come from."""

    @property
    def project(self) -> str | None:
        """Its name, where that is declared."""


def urls(resource: ComposeServiceResource) -> tuple[str, ...]:
    """The service's URLs as `answers` takes them: with service and directory where the host is its own name."""
    where = f" {resource.name} {resource.directory}"
    return tuple(url + (where if urlsplit(url).hostname == resource.name else "") for url in resource.url)


def resolved(resource: ComposeProject, path: str) -> str:
    """A path of a service's declaration as an absolute one."""
    return str(PurePosixPath(resource.directory) / path)


def paths(resource: ComposeProject) -> tuple[str, ...]:
    """Everything that has to be on the host before compose can be asked."""
    declared = (*resource.files, *((resource.env_file,) if resource.env_file else ()))
    return (resource.directory, *(resolved(resource, path) for path in declared))


def without_variables(resource: ComposeImagesResource) -> ComposeImagesResource:
    """The project before its env file is written: images are named all the same."""
    return resource.model_copy(update={"env_file": None})


def variable_files(resource: ComposeProject) -> tuple[str, ...]:
    """The files whose values compose interpolates; the last one is compose's own default."""
    own = (resolved(resource, resource.env_file),) if resource.env_file else ()
    return (*own, resolved(resource, ".env"))


def arguments(resource: ComposeProject) -> str:
    """Compose's own options for this project, quoted for the shell.

    All profiles are on: a service is asked for by name, and compose itself then ignores its profile.
    """
    words = ["--project-directory", resource.directory, "--profile", "*"]
    words += ["--project-name", resource.project] if resource.project else []
    for path in resource.files:
        words += ["--file", resolved(resource, path)]
    words += ["--env-file", resolved(resource, resource.env_file)] if resource.env_file else []
    return quote(*words)


def project_key(resource: ComposeProject) -> str:
    """A short name for the project as declared: services that share it are asked about at once."""
    return hashlib.sha256(arguments(resource).encode()).hexdigest()[:12]
