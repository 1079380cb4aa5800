"""The phase of the chain from what the API answers: only what the contract calls safe is safe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.core.chain import SAFE_PHASE, ChainSource
from gonka_state.errors import FactError
from gonka_state.facts import chain_phase
from gonka_state.facts.base import MARK, Look, split_parts
from gonka_state.facts.snapshot import Answer, HostLook
from gonka_state.lab.standins import chainclock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ORIGIN = 1000


def _section(*parts: tuple[str, str, int]) -> str:
    return "".join(f"{MARK}x part {name}\n{text}\n{MARK}x rc {status} \n" for name, text, status in parts)


def _look(answer: Answer) -> HostLook:
    return HostLook({chain_phase.SECTION: answer})


def _answer(height: int, **control: object) -> str:
    return json.dumps(chainclock.latest_epoch({"height": height, **control}, ORIGIN))


@given(st.integers(ORIGIN, ORIGIN + 3 * chainclock.EPOCH), st.booleans())
def test_safe_is_inference_with_validators_set_and_room_before_the_next_poc(
    height: int,
    confirmation: bool,  # noqa: FBT001 (a case)
) -> None:
    said = chainclock.latest_epoch({"height": height, "confirmation_poc": confirmation}, ORIGIN)
    stages = said["epoch_stages"]

    found = chain_phase.parse(_section(("warm", "yes", 0), ("epoch", json.dumps(said), 0)))

    safe = (
        said["phase"] == SAFE_PHASE
        and not confirmation
        and stages["set_new_validators"] < height <= stages["next_poc_start"] - chain_phase.MARGIN
    )
    assert found.serving
    assert found.holds is not safe
    assert found.height == height


@pytest.mark.parametrize(
    ("warm", "member", "serving"),
    [
        ("yes", ("yes", 0), True),
        ("yes", ("no", 0), False),
        ("yes", ("", 1), True),
        ("no", ("yes", 0), True),
        ("no", ("no", 0), False),
        ("no", ("", 1), False),
        ("unknown", ("yes", 0), True),
        ("unknown", ("no", 0), False),
    ],
)
def test_serving_is_assumed_unless_something_says_otherwise(
    warm: str, member: tuple[str, int], *, serving: bool
) -> None:
    text = _section(("warm", warm, 0), ("epoch", _answer(ORIGIN + 30), 0), ("member", *member))

    assert chain_phase.parse(text).serving is serving
    assert chain_phase.parse(text).holds is serving


def test_a_keyring_that_hides_what_it_holds_is_not_an_empty_one(
    tmp_path: Path, body: Callable[[str], str]
) -> None:
    ring = tmp_path / "a b/.inference/keyring-file"

    def warm(name: str = "warm") -> str:
        source = ChainSource("h", (), f"{ring}/{name}.info" if name else "")
        return split_parts(body(chain_phase.script(source, Look()))).need("warm").text.strip()

    assert warm() == warm("*") == "no"
    ring.parent.parent.mkdir()
    ring.parent.symlink_to(tmp_path / "not mounted")
    assert warm() == warm("*") == "unknown"
    (tmp_path / "not mounted").mkdir()
    assert warm() == warm("*") == "no"
    ring.write_text("no directory")
    assert warm() == "unknown"
    ring.unlink()
    ring.mkdir()
    (ring / "warm.info").symlink_to("nowhere")
    assert warm() == warm("*") == "unknown"
    (ring / "other.info").touch()
    assert (warm("*"), warm("other"), warm("third")) == ("yes", "yes", "no")
    assert warm("") == "unknown"


@given(st.text(max_size=200), st.integers(0, 255))
def test_whatever_the_api_answers_it_is_the_phase_or_unknown(body: str, status: int) -> None:
    text = _section(("warm", "yes", 0), ("epoch", body.replace(MARK, ""), status))

    found = chain_phase.parse(text)

    assert found.holds
    assert "not known" in found.why


def test_a_section_cut_short_is_an_error_and_read_takes_it_for_no() -> None:
    with pytest.raises(FactError):
        chain_phase.parse(f"{MARK}x part warm\nye")
    assert chain_phase.read(_look(Answer(f"{MARK}x part warm\nye"))).holds
    assert chain_phase.read(None).holds
    unknown = Answer("", unknown="no answer within 30 s")
    assert chain_phase.read(_look(unknown)).why.endswith("no answer within 30 s")


def test_the_address_is_looked_for_only_where_it_is_known() -> None:
    known = ChainSource("h", ("http://a", "http://b"), "/k/warm.info", "gonka1x")

    assert "member gonka1x http://a http://b" in chain_phase.script(known, Look())
    assert "part member" not in chain_phase.script(ChainSource("h", ("http://a",)), Look())
