"""Shell words and small parsers for asking a chain node and a seed node, shared by the kinds about the chain.

The own node is asked on its container's address, which the host alone reaches: no port is published for it,
and it works in every release (gonka-contract 3). An answer stands in a part of its own, its HTTP status in
the last line; a part that failed carries curl's own words.
"""

from __future__ import annotations

import calendar
import json
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gonka_state.facts.admin_api import read_answer
from gonka_state.facts.compose import ENGINE

if TYPE_CHECKING:
    from gonka_state.facts.base import Part, Parts

RPC_PORT, REST_PORT = 26657, 1317
FRESH = 60
"""Seconds: how old the newest block of a node in sync may be (gonka-contract 1.9, 3)."""

# `get URL` leaves the answer in $said, its HTTP status in $code and curl's own in $rc, `fetch NAME URL` makes it a part. `seat NAME CONTAINER` does the same
# for a container's state, and leaves its first address in $ip.
SHELL = (
    ENGINE
    + r"""
told() {
  [ "$rc" = 0 ] && { printf '%s\n' "$said"; return; }
  printf '%s\n' "$said" | sed '/^[0-9]*$/d; s/^curl: ([0-9]*) //' >&2
  return "$rc"
}
get() {
  said=$(curl -sS --connect-timeout 4 --max-time "$WAIT" -w '\n%{http_code}' -- "$1" 2>&1); rc=$?
  code=$(printf '%s\n' "$said" | tail -n 1)
}
fetch() { get "$2"; part "$1" told; }
where() {
  engine || return
  docker inspect --type container --format '{{.State.Status}}{{range .NetworkSettings.Networks}} {{.IPAddress}}{{end}}' -- "$1"
}
seat() {
  said=$(where "$2" 2>&1); rc=$?; ip=
  [ "$rc" != 0 ] || ip=$(printf '%s\n' "$said" | awk '{ for (i = 2; i <= NF; i++) if ($i != "") { print $i; exit } }')
  part "$1" told
}
node() {
  seat container "$1"
  [ -z "$ip" ] || { fetch status "http://$ip:26657/status"; fetch net_info "http://$ip:26657/net_info"; }
  part clock date +%s
}
"""
)

_MISSING = re.compile(r"no such (container|object)", re.IGNORECASE)
_REFUSED = re.compile(r"refused|failed to connect|couldn't connect", re.IGNORECASE)
OK = 200


@dataclass(frozen=True, slots=True)
class Node:
    """The own chain node. `problem` says why nothing more is known; `absent` and `down` that it does not run.

    `silent`: it runs, and nothing listens there yet. `age` is that of its newest block, in seconds;
    `key` its consensus key, empty while no signer is connected.
    """

    problem: str = ""
    absent: bool = False
    down: bool = False
    silent: bool = False
    catching_up: bool = True
    height: int = 0
    age: int = 0
    peers: int = 0
    key: str = ""

    @property
    def synced(self) -> bool:
        """Caught up, and fresh (gonka-contract 3)."""
        return not self.problem and not self.catching_up and self.height > 0 and self.age < FRESH

    @property
    def words(self) -> str:
        """How far it is, for people."""
        if self.problem:
            return self.problem
        if self.height == 0:
            return f"no block yet, {self.peers} peers"
        state = "catching up at" if self.catching_up else "at"
        return f"{state} block {self.height}, which is {span(self.age)} old, {self.peers} peers"


def span(seconds: float) -> str:
    """A length of time in words: `40 s`, `3 min`, `5 h`, `12 days`."""
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def moment(text: str) -> float:
    """Seconds since the epoch of an RFC 3339 time in UTC, which the chain writes with nanoseconds.

    Raises:
        ValueError: it is none.
    """
    if not text.endswith(("Z", "+00:00")):
        raise ValueError(f"{text!r} is no time in UTC")
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def answered(part: Part | None) -> tuple[int, Any]:
    """The HTTP status and the JSON of a part; 0 where nothing answered, None where it is no JSON."""
    if part is None or part.status != 0:
        return 0, None
    status, body = read_answer(part)
    try:
        return status, json.loads(body)
    except ValueError:
        return status, None


def read_node(parts: Parts) -> Node:
    """The own node from the parts that `node` printed.

    Raises:
        FactError: the section was cut short.
    """
    clock = parts.need("clock").text.strip()
    container = parts.told("container")
    if container.failed:
        missing = _MISSING.search(container.failed) is not None
        return Node(problem="there is no chain node yet" if missing else container.failed, absent=missing)
    state = container.text.split()
    if state[:1] != ["running"]:
        return Node(
            problem=f"the container of the chain node is {''.join(state[:1]) or 'not there'}", down=True
        )
    part = parts.get("status")
    if part is None or part.failed:
        why = part.failed if part is not None else "its container has no address"
        return Node(problem=f"the chain node does not answer: {why}", silent=bool(_REFUSED.search(why)))
    try:
        return _node(answered(part), answered(parts.get("net_info")), float(clock))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Node(problem=f"the chain node answers with something else than a status: {part.text[:60]!r}")


def _node(status: tuple[int, Any], peers: tuple[int, Any], clock: float) -> Node:
    code, said = status
    if code != OK:
        return Node(problem=f"the chain node answers {code}")
    sync, validator = said["result"]["sync_info"], said["result"]["validator_info"]
    found = peers[1]["result"]["n_peers"] if peers[0] == OK else 0
    return Node(
        catching_up=sync["catching_up"] is not False,
        height=int(sync["latest_block_height"]),
        age=int(clock - moment(sync["latest_block_time"])),
        peers=int(found),
        key=str(validator["pub_key"]["value"] or ""),
    )
