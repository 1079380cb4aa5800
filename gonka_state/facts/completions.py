"""A real completion through each ML node, as the network host gets it; and how long its model took to load.

Sources: POST /v1/chat/completions of vLLM behind an ML node's inference port (gonka-contract 4.1), and its own
GET /api/v1/inference/up/status (4.2; mlnode before 3.0.10 has none). The node's model is asked one short question;
what it answers stays on the host.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts.base import quote, split_parts
from gonka_state.facts.snapshot import understood
from gonka_state.resources.node import NodeResource

if TYPE_CHECKING:
    from gonka_state.core.desired import Desired
    from gonka_state.facts.base import Parts
    from gonka_state.facts.snapshot import HostLook
    from gonka_state.resources.base import Resource

SECTION = "completions"
TOKENS = 64
WAIT = 60
"""Seconds for one answer."""

# A name of Docker's network means nothing to the host itself: there the port is asked for where Docker publishes it.
_SCRIPT = r"""
at() {
  for _c in $(docker ps -q --filter "label=com.docker.compose.service=$1" 2>/dev/null); do
    _p=$(docker port "$_c" "$2/tcp" 2>/dev/null | head -n 1) && [ -n "$_p" ] && { echo "$_p"; return; }
  done
  echo "$1:$2"
}
complete() {
  _said=$(curl -sS --max-time "$WAIT" -H 'Content-Type: application/json' -d "$3" -w '\n%{http_code} %{time_total}' -- \
    "http://$(at "$1" "$2")/v1/chat/completions") || return
  printf '%s %s\n' "$(printf '%s' "$_said" | tail -n 1)" \
    "$(printf '%s' "$_said" | grep -o '"completion_tokens": *[0-9]*' | head -n 1 | grep -o '[0-9]*$')"
}
loaded() {
  _said=$(curl -sS --max-time 5 -- "$1/api/v1/inference/up/status") || return
  printf '%s' "$_said" | grep -o '"status": *"[a-z_]*"\|"elapsed_seconds": *[0-9.]*' | sed 's/.*: *//' | tr '\n' ' '
}
"""


@dataclass(frozen=True, slots=True)
class Completion:
    """One node's answer: seconds, tokens in it, and the seconds its model took to load, None where it does not say."""

    node: str
    problem: str = ""
    seconds: float = 0.0
    tokens: int = 0
    load_seconds: float | None = None

    @property
    def speed(self) -> float:
        """Tokens per second, the question's way through the network included."""
        return self.tokens / self.seconds if self.seconds else 0.0


def nodes(desired: Desired[Resource], host: str) -> list[NodeResource]:
    """The ML nodes that the API on a host is to know."""
    return [
        item.resource
        for address, item in desired.resources.items()
        if address.host == host
        and isinstance(item.resource, NodeResource)
        and item.resource.state == "present"
        and not item.withheld
    ]


def script(asked: list[tuple[NodeResource, str]]) -> str:
    """POSIX sh: one question to each node for one of its models, all nodes at once, each answer in one piece."""
    lines = [_SCRIPT, f"WAIT={WAIT}"]
    for node, model in asked:
        message = {"role": "user", "content": "Count from one to thirty."}
        body = json.dumps({"model": model, "messages": [message], "max_tokens": TOKENS})
        one = quote("part", f"said {node.name}", "complete", node.host, str(node.inference_port), body)
        load = quote("part", f"load {node.name}", "loaded", node.management) if node.management else ":"
        lines.append(f"{{ _out=$({one}; {load}); printf '%s\\n' \"$_out\"; }} &")
    return "\n".join([*lines, "wait"])


def parse(text: str, names: list[str]) -> list[Completion]:
    """What came of every node.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    return [_completion(parts, name) for name in names]


def _completion(parts: Parts, name: str) -> Completion:
    said = parts.told(f"said {name}")
    if said.failed:
        return Completion(name, f"no answer: {said.failed}")
    words = said.text.split()
    if len(words) < 2 or words[0] != "200":  # noqa: PLR2004 (a status and a time)
        return Completion(name, f"answers {words[0] if words else 'nothing'}")
    tokens = int(words[2]) if len(words) > 2 and words[2].isdecimal() else 0  # noqa: PLR2004 (and the tokens)
    if not tokens:
        return Completion(name, "answers without a completion")
    return Completion(name, "", float(words[1]), tokens, _load(parts, name))


def _load(parts: Parts, name: str) -> float | None:
    part = parts.get(f"load {name}")
    found = (
        re.fullmatch(r'"completed" ([0-9.]+) *|([0-9.]+) "completed" *', part.text.strip()) if part else None
    )
    return float(found[1] or found[2]) if found else None


def read(look: HostLook | None, names: list[str]) -> list[Completion] | str:
    """The completions in a host's look, or why there are none."""
    return understood(look, SECTION, lambda text: parse(text, names))
