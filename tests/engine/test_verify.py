"""The look at contents: told as it goes, kept for the next look, and never half believed."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from gonka_state.core.address import Address
from gonka_state.core.desired import Declared, Desired, Login, Run, Timeouts
from gonka_state.core.observation import Present
from gonka_state.engine import verify
from gonka_state.engine.verify import Verifier
from gonka_state.facts.base import Fact, Look, Verification, split_parts
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.kind import Kind
from gonka_state.resources.base import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AT = Address("h", "note", "n")
TEXT = "#@m part files\nn\n\n#@m rc 0 \n"


class Note(Resource):
    """Something with contents."""

    kind: ClassVar[str] = "note"


@dataclass
class Reading(Fact[str]):
    """Reads what the test says, and remembers what it was told of before."""

    section: ClassVar[str] = "notes"
    script_of: str = "part sums printf '700 a\\n300 b\\n'"
    told: list[str] = field(default_factory=list)

    def script(self, wanted: Sequence[Resource], look: Look) -> str:
        """Nobody asks."""
        raise NotImplementedError

    def parse(self, text: str) -> str:
        """As it is."""
        return text

    def verification(self, wanted: Sequence[Resource], text: str, earlier: str) -> Verification | None:  # noqa: ARG002
        """The test's own."""
        self.told.append(earlier)
        return Verification(self.script_of, 1000, f"{len(wanted)} note")


@dataclass
class OnPaper:
    """A session whose host is this machine's shell; it may lose the end of an answer."""

    lose: int = 0
    execs: int = 0

    def stream(self, _name: str, script: str, deadline: float, on_line: Callable[[str], None]) -> list[str]:  # noqa: ARG002
        """As the real one, without a network."""
        done = subprocess.run(["sh", "-s"], input=script, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        self.execs += 1
        for line in lines:
            on_line(line)
        return lines[: len(lines) - self.lose]


def verifier(fact: Reading, session: object, tell: Callable[[str, str], None], seconds: int = 5) -> Verifier:
    kind: Kind[Any, Any] = Kind(resource=Note, fact=fact, observe=lambda *_: Present({}))
    desired: Desired[Any] = Desired(
        "c", "f", lab=True, hosts={"h": Login("h", "1", "u", 22, "k", "k")},
        resources={AT: Declared(AT, Note(name="n"))}, run=Run(timeouts=Timeouts(verify=seconds)),
    )  # fmt: skip
    return Verifier(session, desired, {"note": kind}, tell)  # type: ignore[arg-type]  # paper


LOOK = HostLook({"notes": Answer(TEXT)})


def test_the_section_grows_and_the_next_look_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "TELL", 0)
    said: list[str] = []
    fact = Reading()
    one = verifier(fact, OnPaper(), lambda _host, text: said.append(text))

    parts = split_parts(one.verify("h", LOOK).sections["notes"].text)
    one.verify("h", LOOK)

    assert (parts["files"].text, parts["sums"].lines) == ("n\n", ["700 a", "300 b"])
    assert fact.told[0] == ""
    assert "700 a\n300 b" in fact.told[1]
    assert said[0].startswith("reading 1.0 kB of 1 note")
    assert any(line.startswith("700 B of 1.0 kB read, ") for line in said)
    assert said[-1].startswith("read 1.0 kB in ")


@pytest.mark.parametrize(
    ("script", "lose", "seconds", "reason"),
    [
        ("sleep 5", 0, 1, "contents could not be read in 1 s: raise run.timeouts.verify"),
        ("part sums echo", 1, 5, "contents could not be read to the end: the connection was lost"),
    ],
)
def test_what_was_not_read_to_the_end_is_unknown(script: str, lose: int, seconds: int, reason: str) -> None:
    one = verifier(Reading(script), OnPaper(lose), lambda _host, _text: None, seconds)

    assert one.verify("h", LOOK).sections["notes"].unknown == reason


def test_a_section_that_is_unknown_is_not_read_further() -> None:
    session = OnPaper()
    look = HostLook({"notes": Answer("", unknown="sudo said no")})

    assert verifier(Reading(), session, lambda _host, _text: None).verify("h", look) is look
    assert session.execs == 0
