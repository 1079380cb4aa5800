"""The look of an adoption: understood or refused, and nothing but what is ours to read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts.adoption import parse, script
from gonka_state.facts.base import MARK

RECORDED = (Path(__file__).parents[1] / "engine" / "adoption" / "hand-ml.txt").read_text()


def test_a_stopped_engine_is_no_host_without_containers() -> None:
    text = f"{MARK}x part engine\n\n{MARK}x rc 3 the Docker engine is stopped\n"

    with pytest.raises(FactError, match="the Docker engine is stopped"):
        parse(text)


@settings(max_examples=30)
@given(st.integers(0, len(RECORDED)))
def test_an_answer_that_was_cut_short_is_refused_or_less(at: int) -> None:
    try:
        found = parse(RECORDED[:at])
    except FactError:
        return
    assert len(found.containers) == len(parse(RECORDED).containers)


@settings(max_examples=60)
@given(st.sampled_from(RECORDED.splitlines()), st.text(max_size=20))
def test_whatever_a_host_answers_is_understood_or_refused(line: str, junk: str) -> None:
    try:
        parse(RECORDED.replace(line, junk))
    except FactError:
        return


def test_only_variables_without_secrets_are_asked_for() -> None:
    assert "?KEYRING_PASSWORD" not in script()
    assert "?HF_HOME" in script()
