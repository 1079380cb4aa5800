"""A fact: a shell section to print and a pure parser of its answer.

A section is made of parts. `part NAME command...` runs a command and frames its output, its exit status
and its last words on stderr, so that a parser never has to guess whether nothing was found or nothing
could be read. Sections are POSIX sh, run as root where sudo allows, and never write to the host.
"""

from __future__ import annotations

import shlex
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from gonka_state.errors import FactError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gonka_state.resources.base import Resource

S = TypeVar("S")

MARK = "#@"

# Defines `part`. $M is the framing mark: a fresh random one per look, so that no output can forge a frame.
PRELUDE = r"""
export LC_ALL=C LANG=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin"
part() {
  _name=$1; shift
  printf '%s part %s\n' "$M" "$_name"
  { _err=$("$@" 2>&1 >&3 3>&-); _rc=$?; } 3>&1
  printf '\n%s rc %s %s\n' "$M" "$_rc" "$(printf '%s' "$_err" | tail -n 3 | tr '\n' ' ' | cut -c1-300)"
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What a section may need to know about the look it is part of.

    `salt` goes into digests of secrets; `http_timeout` is in seconds.
    """

    salt: str = "standalone"
    http_timeout: int = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One framed command: its exact output, exit status, last words on stderr."""

    text: str
    status: int
    stderr: str = ""

    @property
    def lines(self) -> list[str]:
        """The output's lines."""
        return self.text.splitlines()

    @property
    def failed(self) -> str:
        """Empty when the command succeeded, else what it said."""
        return "" if self.status == 0 else (self.stderr or f"exit status {self.status}")


@dataclass(frozen=True, slots=True)
class Verification:
    """A long look at contents, on request: POSIX sh that prints further parts of the same section.

    `total` are the bytes it reads, `about` what they are of. Every line it prints inside a part begins with
    the bytes it stands for, and is printed when these are read.
    """

    script: str
    total: int
    about: str


class Parts(dict[str, Part]):
    """The parts of one section, by name."""

    def told(self, name: str) -> Part:
        """The part `name`, whatever became of its command.

        Raises:
            FactError: it is missing: the section was cut short.
        """
        part = self.get(name)
        if part is None:
            raise FactError(f"the answer ends before {name!r}: the look was cut short")
        return part

    def about(self, verb: str) -> dict[str, Part]:
        """The parts called `VERB SUBJECT`, by subject."""
        start = f"{verb} "
        return {name.removeprefix(start): part for name, part in self.items() if name.startswith(start)}

    def need(self, name: str) -> Part:
        """The part `name`.

        Raises:
            FactError: it is missing (the section was cut short) or its command failed.
        """
        part = self.told(name)
        if part.status != 0:
            raise FactError(f"{name}: {part.failed}")
        return part


def split_parts(text: str) -> Parts:
    """Read the frames of one section; the first line tells the mark.

    Raises:
        FactError: the text does not start with a frame, or a frame is damaged.
    """
    parts = Parts()
    lines = text.split("\n")
    while lines and not lines[0]:
        lines.pop(0)
    if not lines:
        return parts
    mark, _, rest = lines[0].partition(" ")
    if not mark.startswith(MARK) or not rest.startswith("part "):
        raise FactError(f"the answer does not start with a frame: {lines[0][:80]!r}")
    name, body = "", list[str]()
    for line in lines:
        if line.startswith(f"{mark} part "):
            name, body = line[len(mark) + 6 :], []
        elif line.startswith(f"{mark} rc "):
            status, _, stderr = line[len(mark) + 4 :].partition(" ")
            if not status.isdecimal():
                raise FactError(f"{name}: the frame's status is no number: the look was cut short")
            parts[name] = Part("\n".join(body), int(status), stderr.strip())
            name, body = "", []
        else:
            body.append(line)
    return parts


class Fact(ABC, Generic[S]):
    """One section of a look. `S` is what its parser makes of it, independent of any wish.

    Several kinds may read the same fact (the firewall's three do).
    """

    section: ClassVar[str]
    root: ClassVar[bool] = True
    elsewhere: ClassVar[bool] = False
    """True where others see it, not the host itself: its section comes from `engine/probing.py`."""
    deadline: ClassVar[int | None] = None
    """Seconds on the host; None takes the cluster's `timeouts.section`."""

    @abstractmethod
    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """POSIX sh that prints parts. `wanted` are the declared resources that read this fact."""

    @abstractmethod
    def parse(self, text: str) -> S:
        """Understand one section.

        Raises:
            FactError: the section cannot be understood; its resources become unknown.
        """

    def verification(self, wanted: Sequence[Resource], text: str, earlier: str) -> Verification | None:  # noqa: ARG002 (for facts that override it)
        """What else can be read on request, after `text`; `earlier` is what it told before in the same run.

        Raises:
            FactError: `text` cannot be understood.
        """
        return None

    def standalone(self, **arguments: object) -> str:
        """The script for use as a plain pyinfra fact; arguments are the fact's own, as text."""
        if arguments:
            raise FactError(f"{self.section} takes no arguments, got {', '.join(arguments)}")
        return self.script((), Look())


def quote(*words: str) -> str:
    """Words for a shell line, each quoted where it must be."""
    return shlex.join(words)


def pyinfra_fact(name: str, fact: Fact[S], requested: str) -> object:
    """Make `fact` a pyinfra fact class called `name`; for a facts module's `__getattr__`.

    pyinfra is imported only when somebody asks for the class: parsers must be usable without it.

    Raises:
        AttributeError: `requested` is not `name`.
    """
    if requested != name:
        raise AttributeError(requested)
    from gonka_state.facts.standalone import make  # noqa: PLC0415 (see above)

    return make(name, fact)
