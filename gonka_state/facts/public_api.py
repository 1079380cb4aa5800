"""Whether a network host's public API answers, as one section of its look.

Sources: GET /v1/status (the process is alive) and GET /v1/participants (it reads the chain), gonka-contract 2.
Of the participants, of whom there may be thousands, nothing leaves the host.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gonka_state.facts.base import Look, quote, split_parts
from gonka_state.facts.snapshot import understood

if TYPE_CHECKING:
    from gonka_state.facts.snapshot import HostLook

SECTION = "public-api"
PATHS = {"/v1/status": '"status"', "/v1/participants": '"participants"'}
"""What is asked, and what an answer has in it."""

_SCRIPT = r"""
answers() {
  said=$(curl -sS --max-time "$WAIT" -w '\n%{http_code}' -- "$1") || return
  case $said in *"$2"*) word=understood ;; *) word=else ;; esac
  echo "${said##*
} $word"
}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one question: empty `problem` where it was answered as it should be."""

    path: str
    problem: str = ""


def script(api: str, look: Look) -> str:
    """POSIX sh: one request per path of the API at this base URL."""
    lines = [_SCRIPT, f"WAIT={look.http_timeout}"]
    lines += [quote("part", path, "answers", f"{api}{path}", word) for path, word in PATHS.items()]
    return "\n".join(lines)


def parse(text: str) -> tuple[Answer, ...]:
    """Every question's answer.

    Raises:
        FactError: the section was cut short.
    """
    parts = split_parts(text)
    return tuple(_answer(path, parts.told(path).failed, parts.told(path).text) for path in PATHS)


def _answer(path: str, failed: str, said: str) -> Answer:
    if failed:
        return Answer(path, f"no answer: {failed}")
    code, _, word = said.strip().partition(" ")
    if (code, word) == ("200", "understood"):
        return Answer(path)
    return Answer(path, f"answers {code}" if code != "200" else "answers something else than it should")


def read(look: HostLook | None) -> tuple[Answer, ...] | str:
    """The answers in a host's look, or why there are none."""
    return understood(look, SECTION, parse)
