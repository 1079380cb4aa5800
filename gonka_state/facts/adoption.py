"""What runs on a host that somebody else set up: compose projects, their files, checkout, cache, nodes.

Where things lie is not known before the look, so the script finds out as it goes: from the containers'
labels to their directories, from there to the env file and the checkout, from the mounts to the models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError
from gonka_state.facts import compose, env_file, models, nodes, repository
from gonka_state.facts.base import quote, split_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.facts.api_answers import AdminApi
    from gonka_state.facts.env_file import EnvFile
    from gonka_state.facts.model_cache import ModelsState
    from gonka_state.facts.repository import Checkout

SECTION = "adoption"
DEADLINE = 100

NETWORK_VARIABLES = (
    "KEY_NAME", "KEYRING_BACKEND", "ACCOUNT_PUBKEY", "API_PORT", "API_SSL_PORT", "PUBLIC_URL",
    "P2P_EXTERNAL_ADDRESS", "NODE_CONFIG", "SEED_API_URL", "SEED_NODE_RPC_URL", "SEED_NODE_P2P_URL",
    "DAPI_API__POC_CALLBACK_URL", "DAPI_CHAIN_NODE__URL", "DAPI_CHAIN_NODE__P2P_URL", "RPC_SERVER_URL_1",
    "RPC_SERVER_URL_2",
)  # fmt: skip
ML_VARIABLES = ("HF_HOME", "PORT", "INFERENCE_PORT")
"""Gonka's variables that hold no secret (gonka-contract 5.3): only these are read off a host."""

_LABEL = '{{{{index .Config.Labels "com.docker.compose.{}"}}}}'
_LABELS = ("project", "project.working_dir", "project.config_files", "project.environment_file")
_FORMAT = "\t".join(_LABEL.format(name) for name in _LABELS) + (
    '\t{{range .Mounts}}{{if eq .Destination "/root/.cache"}}{{.Source}}{{end}}{{end}}\t{"name":{{json .Name}},'
    '"service":{{json (index .Config.Labels "com.docker.compose.service")}},"status":{{json .State.Status}},'
    '"hash":{{json (index .Config.Labels "com.docker.compose.config-hash")}},"ports":{{json .NetworkSettings.Ports}},'
    '"oneoff":{{json (index .Config.Labels "com.docker.compose.oneoff")}}}'
)

# `attempt`: the hashes that compose would give the services today, with these files and this env file. One of
# the tries gives the running containers' own hashes; that is how they were made.
_SCRIPT = r"""
TAB=$(printf '\t')
seen() { ids=$(docker ps -aq --no-trunc) || return; [ -z "$ids" ] || docker inspect --type container --format "$FORMAT" $ids; }
replay() { if [ "$RC" = 0 ]; then printf '%s\n' "$SEEN"; else printf '%s\n' "$SEEN" >&2; return "$RC"; fi; }
attempt() {
  printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4"
  names=$3 env=$4; set -- --project-name "$1" --project-directory "$2" --profile '*'
  set -f; IFS=,; for name in $names; do set -- "$@" --file "$name"; done; unset IFS; set +f
  [ -z "$env" ] || set -- "$@" --env-file "$env"
  compose "$@" config --hash '*' 2>/dev/null </dev/null || true
}
attempts() {
  count=0
  printf '%s\n' "$SEEN" | awk -F '\t' '$1 != "" && $2 != "" && $3 != "" { print $1 FS $2 FS $3 FS $4 }' | sort -u |
  while IFS=$TAB read -r project dir names env; do
    usual=$dir/config.env; [ "$env" != "$usual" ] || usual=
    for try in ${env:+"$env"} ${usual:+"$usual"} ''; do
      [ -z "$try" ] || [ -f "$try" ] || continue
      count=$((count + 1)); part "attempt $count" attempt "$project" "$dir" "$names" "$try"
    done
  done
}
dirs() { printf '%s\n' "$SEEN" | awk -F '\t' '$2 != "" { print $2 }' | sort -u; }
env_files() {
  { printf '%s\n' "$SEEN" | awk -F '\t' '$4 != "" { print $4 }'; dirs | sed 's,$,/config.env,'; } | sort -u |
  while IFS= read -r path; do [ -f "$path" ] && printf '%s\n' "$path"; done
}
tops() {
  dirs | while IFS= read -r dir; do
    while [ "$dir" != / ] && [ ! -e "$dir/.git" ]; do dir=$(dirname -- "$dir"); done
    [ "$dir" = / ] || printf '%s\n' "$dir"
  done | sort -u
}
homes() {
  { printf '%s\n' "$SEEN" | awk -F '\t' '$5 != "" { print $5 }'
    env_files | while IFS= read -r path; do env_variables "$path" '?HF_HOME'; done | awk -F '\t' '$1 == "v" { print $4 }'
  } | sort -u | while IFS= read -r home; do [ -d "$home/hub" ] && printf '%s\n' "$home"; done
}
mains() { cd "$1/hub" && for ref in models--*/refs/main; do [ ! -f "$ref" ] || printf '%s %s\n' "${ref%%/*}" "$(cat "$ref")"; done; }
# Of Docker's own file nothing else leaves the host.
translates() { tr -d ' \t\n' 2>/dev/null </etc/docker/daemon.json | grep -o '"iptables":[a-z]*' || true; }
each() { what=$1; while IFS= read -r one; do "$what" "$one"; done; }
env_of() { env_file "$1" "$ASKED"; }
top_of() { checkout "$1" ''; part "owner $1" stat -Lc %U -- "$1/.git"; }
home_of() { home "$1"; every_revision "$1"; part "main $1" mains "$1"; }

part engine engine; [ "$_rc" = 0 ] || exit 0
SEEN=$(seen 2>&1); RC=$?; part containers replay; [ "$RC" = 0 ] || exit 0
part iptables translates
attempts
env_files | each env_of
tops | each top_of
homes | each home_of
"""


@dataclass(frozen=True, slots=True)
class Made:
    """One container as its labels say it was made. `home` is the model cache mounted into it."""

    name: str
    project: str
    directory: str
    files: tuple[str, ...]
    service: str
    status: str
    hash: str
    home: str
    ports: dict[str, list[dict[str, str]] | None]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The hashes by service that compose gives with these files and this env file (empty: none)."""

    project: str
    directory: str
    files: tuple[str, ...]
    env_file: str
    hashes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """One host.

    `mains` are the commits that models' main branches stand at, by home and model id; `iptables` is false where Docker is told to leave the firewall alone.
    """

    containers: tuple[Made, ...]
    attempts: tuple[Attempt, ...]
    env_files: dict[str, EnvFile]
    checkouts: dict[str, Checkout]
    owners: dict[str, str]
    models: ModelsState
    mains: dict[str, dict[str, str]]
    apis: dict[str, AdminApi] = field(default_factory=dict)
    iptables: bool = True


def script() -> str:
    """POSIX sh; never writes, and asks compose once per way a project may have been made."""
    asked = "\n".join(f"?{name}" for name in (*NETWORK_VARIABLES, *ML_VARIABLES))
    return "\n".join(
        (
            compose.SHELL,
            compose.ENGINE,
            env_file.SHELL,
            repository.FUNCTIONS,
            models.FUNCTIONS,
            f"FORMAT={quote(_FORMAT)}",
            f"ASKED={quote(asked)}",
            "SALT=none",
            "part salt echo none",
            repository.GIT_PART,
            models.UNITS,
            nodes.FACT.standalone(),
            _SCRIPT,
        )
    )


def parse(text: str) -> Found:
    """Understand the section.

    Raises:
        FactError: Docker cannot be asked, or the answer was cut short.
    """
    parts = split_parts(text)
    parts.need("engine")
    lines = parts.need("containers").lines
    try:
        containers = tuple(_made(line) for line in lines if line)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FactError(f"docker's answer cannot be understood: {error}") from error
    return Found(
        containers=tuple(one for one in containers if one is not None),
        attempts=tuple(_attempt(part.lines) for part in parts.about("attempt").values()),
        env_files=dict(env_file.FACT.parse(text).files),
        checkouts=repository.FACT.parse(text).checkouts,
        owners={path: part.text.strip() for path, part in parts.about("owner").items()},
        models=models.FACT.parse(text),
        mains={home: _mains(part.lines) for home, part in parts.about("main").items()},
        apis=nodes.FACT.parse(text).apis,
        iptables=not parts.need("iptables").text.strip().endswith(":false"),
    )


def _made(line: str) -> Made | None:
    """One line of docker's answer; None for a container of no project, or one that was run once."""
    project, directory, names, _, home, rest = line.split("\t", 5)
    data: dict[str, Any] = json.loads(rest)
    if not project or not directory or data["oneoff"] == "True":
        return None
    return Made(
        name=data["name"].removeprefix("/"),
        project=project,
        directory=directory,
        files=tuple(names.split(",")),
        service=data["service"],
        status=data["status"],
        hash=data["hash"],
        home=home,
        ports=data["ports"] or {},
    )


def _attempt(lines: Sequence[str]) -> Attempt:
    if not lines or lines[0].count("\t") != 3:  # noqa: PLR2004 (project, directory, files, env file)
        raise FactError("compose's answer cannot be understood: the look was cut short")
    project, directory, names, env = lines[0].split("\t")
    hashes = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
    return Attempt(project, directory, tuple(names.split(",")), env, hashes)


def _mains(lines: Sequence[str]) -> dict[str, str]:
    pairs = (line.partition(" ") for line in lines)
    return {name.removeprefix("models--").replace("--", "/"): commit for name, _, commit in pairs}
