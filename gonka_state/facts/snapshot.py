"""All sections of one host in one script and one answer; snapshots of a whole cluster as JSON.

A snapshot keeps what hosts answered, section by section, not what we made of it: comparing offline goes
through the same parsers as a live look, and a newer version reads an older snapshot better.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from gonka_state.errors import FactError, GonkaStateError
from gonka_state.facts.base import MARK, PRELUDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")

FORMAT = "gonka-state/snapshot"
VERSION = 1
ROOT_NEEDED = 126
TIMED_OUT = (124, 137)

# section NAME DEADLINE root|any, its body on stdin. The output travels as one line of base64, so that no
# byte of it can break the frame or the reader. `kept` holds a section that ends early back in memory: it would
# block on a full pipe, and be late, while one before it hangs.
_FRAME = r"""
kept() { dd bs=16M iflag=fullblock 2>/dev/null; }
section() {
  printf '%s section %s\n' "$M" "$1"
  if [ "$3" = root ] && [ "$(id -u)" != 0 ]; then printf '%s end 126 0 -\n' "$M"; cat >/dev/null; return; fi
  _t=$(date +%s%N)
  { _err=$( { timeout -k 5 "$2" sh -s; printf '\n%s exit %s\n' "$M" "$?"; } 2>&1 >&3 3>&- ); } 3>&1 | gzip -1 -n | base64 -w0
  printf '\n%s end 0 %s -\n' "$M" "$(( ($(date +%s%N) - _t) / 1000000 ))"
}
"""


@dataclass(frozen=True, slots=True)
class Section:
    """One fact's part of the script. `deadline` in seconds, enforced on the host."""

    name: str
    body: str
    deadline: int
    root: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What one section printed. `unknown` says why it cannot be believed; empty when it can."""

    text: str
    seconds: float = 0.0
    unknown: str = ""


@dataclass(frozen=True, slots=True)
class HostLook:
    """One host's look. `unknown` (and `hint`) when the host gave no answer at all.

    `peer` is the address our SSH connection came from, as the host saw it; `root` whether sudo allowed
    the sections to run as root; `skew` by how many seconds the host's clock is off at least, None where
    nobody compared clocks.
    """

    sections: Mapping[str, Answer] = field(default_factory=dict)
    peer: str = ""
    root: bool = True
    skew: float | None = None
    seconds: float = 0.0
    execs: int = 0
    unknown: str = ""
    hint: str = ""

    def with_section(self, name: str, answer: Answer) -> HostLook:
        """The same look with one more section."""
        return replace(self, sections={**self.sections, name: answer})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One cluster's look. `taken` is ISO 8601 in UTC; `salt` belongs to the digests of secrets in it."""

    cluster: str
    taken: str
    salt: str
    hosts: Mapping[str, HostLook]

    def updated(self, again: Snapshot) -> Snapshot:
        """This look with a later one laid over it; what the later one did not ask about stays."""
        hosts = dict(self.hosts)
        for host, look in again.hosts.items():
            known = hosts.get(host)
            stays = known.sections if known is not None and not look.unknown else {}
            hosts[host] = replace(look, sections={**stays, **look.sections})
        return replace(self, hosts=hosts)


def answer_of(look: HostLook | None, section: str) -> Answer:
    """What a look holds of a section that belongs to no kind; where it holds nothing, unknown and why."""
    if look is None or look.unknown:
        return Answer("", unknown=look.unknown if look is not None else "nobody looked")
    return look.sections.get(section, Answer("", unknown="nobody looked"))


def understood(look: HostLook | None, section: str, parse: Callable[[str], T]) -> T | str:
    """What a look holds of a section, understood; else why it is not known."""
    answer = answer_of(look, section)
    if answer.unknown:
        return answer.unknown
    try:
        return parse(answer.text)
    except FactError as error:
        return str(error)


def compose(sections: Sequence[Section], nonce: str) -> str:
    """The script that looks at one host. `nonce` makes the frames unforgeable by what they frame.

    All sections run at the same time, and speak in their order: each is piped into whoever lets those before it
    speak first.
    """
    mark = f"{MARK}{nonce}"
    head = f'M={mark}\n{_FRAME}\nprintf \'%s head %s %s %s\\n\' "$M" "$(id -u)" "${{GONKA_STATE_PEER:--}}" "$(date +%s.%N)"\n'
    script = ""
    for index, section in enumerate(sections):
        asked = f"section {section.name} {section.deadline} {'root' if section.root else 'any'} <<'{nonce}_{index}'"
        body = f"M={mark}\n{PRELUDE}\n{section.body}\n{nonce}_{index}\n"
        script = f"{asked} | kept | {{\n{body}{script}cat; }}\n" if script else f"{asked}\n{body}"
    return f'{head}{script}printf \'%s done %s\\n\' "$M" "$(date +%s.%N)"\n'


def decode(lines: Sequence[str], nonce: str, between: tuple[float, float] | None = None) -> HostLook:
    """Read one host's answer. `between` is when the script was sent and the answer was there, by our clock.

    Raises:
        FactError: the answer has no head: something else than our script spoke.
    """
    mark = f"{MARK}{nonce}"
    # A line that was cut short is no frame; it damages the section it stands in, and that one only.
    head = re.compile(rf"{mark} head (\d+) (\S+) (\S+)")
    end = re.compile(rf"{mark} end (\d+) (-?\d+) -")
    start = next((number for number, line in enumerate(lines) if head.fullmatch(line)), None)
    if start is None:
        said = next((line for line in lines if line.strip()), "nothing")
        raise FactError(f"the host answered something else than the look: {said[:120]}")
    _, _, uid, peer, began = lines[start].split(" ")
    answers: dict[str, Answer] = {}
    name, payload = "", ""
    for line in lines[start + 1 :]:
        if line.startswith(f"{mark} section "):
            name, payload = line.rsplit(" ", 1)[1], ""
        elif name and (ended := end.fullmatch(line)):
            answers[name] = _answer(payload, mark, int(ended[1]), int(ended[2]) / 1000)
            name = ""
        elif name:
            payload += line
    if name:
        answers[name] = Answer("", unknown="the answer was cut short here")
    done = next((line for line in reversed(lines) if line.startswith(f"{mark} done ")), "")
    return HostLook(
        sections=answers,
        peer=peer.removeprefix("-"),
        root=uid == "0",
        skew=_skew(between, began, done.rpartition(" ")[2]) if between else None,
    )


def _skew(between: tuple[float, float], began: str, ended: str) -> float | None:
    """How far the host's clock is off at least.

    Its first word was said after the script was sent and its last before the answer was there: what the way and a
    busy machine may account for is no skew.
    """
    sent, there = between
    if not all(re.fullmatch(r"\d+\.\d+", moment) for moment in (began, ended)):
        return None
    return max(0.0, sent - float(began), float(ended) - there)


def _answer(payload: str, mark: str, status: int, seconds: float) -> Answer:
    if status == ROOT_NEEDED:
        return Answer("", seconds, "sudo without a password was refused")
    try:
        raw = gzip.decompress(base64.b64decode(payload, validate=True))
    except (ValueError, OSError, EOFError, zlib.error) as error:
        return Answer("", seconds, f"the answer arrived damaged ({error})")
    text = raw.decode("utf-8", "surrogateescape")
    ended = re.search(rf"\n{re.escape(mark)} exit (\d+)\n\Z", text)
    if ended is None:
        return Answer(text, seconds, "the answer was cut short")
    code = int(ended[1])
    text = text[: ended.start()]
    if code in TIMED_OUT:
        return Answer(text, seconds, f"no answer within {seconds:.0f} s")
    return Answer(text, seconds)


def dump(snapshot: Snapshot) -> str:
    """A snapshot as JSON text. Bytes that were no UTF-8 survive."""
    document = {"format": FORMAT, "version": VERSION, **asdict(snapshot)}
    return json.dumps(document, indent=1, sort_keys=False) + "\n"


def restore(text: str, name: str) -> Snapshot:
    """Read a snapshot's JSON; `name` is shown in errors.

    Raises:
        GonkaStateError: it is no snapshot of ours, or one of a later format.
    """
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise GonkaStateError(f"{name} is no snapshot", hint="make one with: gonka-state observe")
        if document["version"] != VERSION:
            raise GonkaStateError(
                f"{name} has snapshot version {document['version']}, this program reads {VERSION}"
            )
        hosts = {host: _restore_host(look) for host, look in document["hosts"].items()}
        return Snapshot(document["cluster"], _moment(document["taken"]), document["salt"], hosts)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise GonkaStateError(
            f"{name} is damaged: {error}", hint="make a new one: gonka-state observe"
        ) from error


def _moment(taken: str) -> str:
    if datetime.fromisoformat(taken).tzinfo is None:
        raise ValueError(f"taken at {taken!r}, of no time zone")
    return taken


def _restore_host(look: dict[str, object]) -> HostLook:
    sections = look.pop("sections")
    if not isinstance(sections, dict):
        raise TypeError("sections is no map")
    answers = {name: Answer(**answer) for name, answer in sections.items()}
    return HostLook(sections=answers, **look)  # type: ignore[arg-type]  # a damaged file raises TypeError
