"""The ML nodes that a network host's Admin API knows, and how old that API is.

Source of the shapes: Gonka's decentralized-api, GET /admin/v1/nodes and GET /v1/versions. The list holds no
secret. GET /admin/v1/config holds a private key: only its status code is asked for, and only when the
version is not known otherwise (404: older than 0.2.4).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from gonka_state.errors import FactError
from gonka_state.facts.base import Fact, Look, Part, Parts, pyinfra_fact, quote, split_parts
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

WRITABLE_SINCE = (0, 2, 4)
"""The first API release with PUT and with a POST that does not append a second entry."""

NODES = "/admin/v1/nodes"

ASK = r"""
ask() { curl -sS --max-time "$1" -w '\n%{http_code}' -- "$2"; }
"""

_SCRIPT = (
    ASK
    + r"""
era() {
  answer=$(ask "$1" "$3/v1/versions" 2>/dev/null)
  case $answer in *'"version"'*[0-9].[0-9]*200) printf '%s' "$answer"; return ;; esac
  printf 'config\n'; curl -s -o /dev/null --max-time "$1" -w '%{http_code}' -- "$2/admin/v1/config"
}
"""
)

_NOT_FOUND = 127
_ERROR_LENGTH = 400
_NONSENSE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class AdminApi:
    """One Admin API's answer: its nodes as it gives them, or the `problem` of reading it.

    `silent` says that nothing answered at all. `writable` is None when the API's age is not known.
    """

    nodes: tuple[dict[str, Any], ...] = ()
    problem: str = ""
    silent: bool = False
    version: str = ""
    writable: bool | None = None

    def find(self, name: str) -> list[dict[str, Any]]:
        """The entries of a node: one, none, or in an old API's list several."""
        return [entry for entry in self.nodes if entry["node"].get("id") == name]


@dataclass(frozen=True, slots=True)
class NodesState:
    """Admin APIs by base URL."""

    apis: dict[str, AdminApi] = field(default_factory=dict)


class NodesFact(Fact[NodesState]):
    """The node list of every declared Admin API. As a plain fact it takes `api=` and `public_api=`."""

    section = "nodes"

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """POSIX sh: two or three requests per API, on the host itself."""
        pairs = sorted({(item.api, item.public_api) for item in wanted if isinstance(item, NodeResource)})
        lines = [_SCRIPT]
        for api, public in pairs:
            lines.append(f"part {quote(f'nodes {api}')} ask {look.http_timeout} {quote(api + NODES)}")
            wait = max(look.http_timeout // 2, 1)
            lines.append(f"part {quote(f'era {api}')} era {wait} {quote(api)} {quote(public)}")
        return "\n".join(lines)

    def standalone(self, **arguments: object) -> str:
        """The script for one API, by default the usual one on the network host."""
        given = {key: str(value) for key, value in arguments.items()}
        node = NodeResource(name="any", host="any", inference_port=1, poc_port=1, models={"any": {}}, **given)  # type: ignore[arg-type] # the rest are the texts just made
        return self.script((node,), Look())

    def parse(self, text: str) -> NodesState:
        """Understand the section; an API that answers nonsense is a problem of its own nodes only."""
        parts = split_parts(text)
        names = [name.removeprefix("nodes ") for name in parts if name.startswith("nodes ")]
        return NodesState({name: _api(parts, name) for name in names})


def read_answer(part: Part) -> tuple[int, str]:
    """The HTTP status, 0 when there was no answer, and the body of one request."""
    body, _, code = part.text.rstrip("\n").rpartition("\n")
    return (int(code) if code.isdigit() else 0), body


def words_of(body: str) -> str:
    """What an API says about an error: its `error` text, else the start of the body."""
    try:
        said = json.loads(body)
    except ValueError:
        return " ".join(body.split())[:_NONSENSE_LENGTH]
    while isinstance(said, dict) and "error" in said:
        said = said["error"]
    text = said if isinstance(said, str) else json.dumps(said)
    return " ".join(text.split())[:_ERROR_LENGTH]


def read_nodes(body: str) -> tuple[dict[str, Any], ...]:
    """The list as the API gives it.

    Raises:
        FactError: it is no list of objects with a `node` each.
    """
    try:
        entries = json.loads(body)
    except ValueError as error:
        raise FactError(f"no JSON: {' '.join(body.split())[:_NONSENSE_LENGTH]!r}") from error
    if entries is None:  # Go's empty list
        return ()
    if not isinstance(entries, list) or not all(_is_entry(entry) for entry in entries):
        raise FactError(f"no list of nodes: {' '.join(body.split())[:_NONSENSE_LENGTH]!r}")
    return tuple(entries)


def _is_entry(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("node"), dict)


def _api(parts: Parts, name: str) -> AdminApi:
    part = parts[f"nodes {name}"]
    status, body = read_answer(part)
    version, writable = _age(parts.get(f"era {name}"))
    if status == 0:
        problem = (
            "curl is not installed" if part.status == _NOT_FOUND else f"does not answer: {_curl(part.stderr)}"
        )
        return AdminApi(problem=problem, silent=part.status != _NOT_FOUND)
    if status != 200:  # noqa: PLR2004 (HTTP)
        return AdminApi(problem=f"answers {status}: {words_of(body)}", version=version, writable=writable)
    try:
        return AdminApi(nodes=read_nodes(body), version=version, writable=writable)
    except FactError as error:
        return AdminApi(problem=f"answers with {error}", version=version, writable=writable)


def _curl(stderr: str) -> str:
    return re.sub(r"^curl: \(\d+\) ", "", stderr.strip()) or "no connection"


def _age(part: Part | None) -> tuple[str, bool | None]:
    """The API's version as it says itself, and whether it can be written to."""
    if part is None:
        return "", None
    if part.text.startswith("config\n"):
        status, _ = read_answer(part)
        return "", {200: True, 404: False}.get(status)
    try:
        version = str(json.loads(read_answer(part)[1])["api_version"]["version"])
    except (ValueError, KeyError, TypeError):
        return "", None
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return version, tuple(map(int, numbers.groups())) >= WRITABLE_SINCE if numbers else None


FACT = NodesFact()


def __getattr__(name: str) -> object:
    return pyinfra_fact("Nodes", FACT, name)
