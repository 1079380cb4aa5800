"""The warm key's step: words kept before anything runs, on standard input alone, and never a second key."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from gonka_state.core.address import Address
from gonka_state.core.change import Action, Change
from gonka_state.core.desired import Timeouts
from gonka_state.core.observation import Absent
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.operations import warm_key
from gonka_state.operations.base import Do, Result, Say, Step
from gonka_state.operations.mnemonic import Words
from gonka_state.operations.warm_key import apply
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.warm_key import WarmKeyResource

if TYPE_CHECKING:
    from collections.abc import Generator

    from gonka_state.operations.base import Command
    from gonka_state.resources.base import Resource

PASSWORD = "correct horse"  # noqa: S105 (nobody's)
RAW = "8bb7aeea19ebcf2f7780d45c4aabe74c06e69656"
ADDRESS = "gonka13wm6a6sea08j7auq63wy42l8fsrwd9jks89lt4"


def step(tmp_path: Path, *, service: str = "api", password: str | None = PASSWORD) -> Step[WarmKeyResource]:
    wish = WarmKeyResource(
        name="warm",
        keyring=str(tmp_path / "keyring-file"),
        directory="/opt/join",
        cluster="c",
        password=None if password is None else SecretStr(password),
        mnemonic_file=str(tmp_path / "words"),
    )
    declared: list[Resource] = [ComposeServiceResource(name=service, directory="/opt/join")]
    change = Change(Address("h", "warm-key", "warm"), Action.CREATE)
    return Step(change, wish, Absent(), Here("h", {}, declared=declared), Timeouts())


def first(asked: Step[WarmKeyResource]) -> Do:
    command = next(apply(asked))
    assert isinstance(command, Do)
    return command


def kept(tmp_path: Path) -> str:
    return (tmp_path / "words").read_text().splitlines()[1]


def test_the_words_are_safe_before_the_first_command_runs(tmp_path: Path) -> None:
    do = first(step(tmp_path))

    assert Words.check(kept(tmp_path))
    assert do.stdin == f"{kept(tmp_path)}\n{PASSWORD}\n"


def test_a_run_that_died_is_gone_on_with_the_same_words(tmp_path: Path) -> None:
    assert first(step(tmp_path)).stdin == first(step(tmp_path)).stdin


def test_no_secret_is_in_the_script_or_its_name(tmp_path: Path) -> None:
    do = first(step(tmp_path))

    for secret in (kept(tmp_path), PASSWORD):
        assert secret not in f"{do.script}{do.about}{do!r}"
    assert not do.again


def test_it_says_the_address_and_where_the_words_are(tmp_path: Path) -> None:
    commands = apply(step(tmp_path))
    next(commands)

    said = commands.send(Result(0, f"{RAW}\n"))

    assert isinstance(said, Say)
    assert said.text.startswith(f"warm key warm is {ADDRESS}, its mnemonic is in {tmp_path}/words")
    assert kept(tmp_path) not in said.text


@pytest.mark.parametrize(
    ("result", "says"),
    [
        (Result(3), "has a key warm since the look; it was left alone"),
        (Result(1, "", "incorrect passphrase"), "could not make the warm key warm: incorrect passphrase"),
    ],
)
def test_what_went_wrong_is_said_and_the_words_stay(tmp_path: Path, result: Result, says: str) -> None:
    commands = apply(step(tmp_path))
    next(commands)

    with pytest.raises(StepError, match=says):
        commands.send(result)

    assert Words.check(kept(tmp_path))


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (Result(255, "", "the connection was lost: EOFError"), "the connection was lost"),
        (Result(124), "not finished"),
    ],
)
@pytest.mark.parametrize("file", [True, False])
def test_a_lost_answer_says_nothing_of_the_key_and_the_words_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Result, why: str, *, file: bool
) -> None:
    asked = step(tmp_path)
    if not file:
        asked = replace(asked, resource=asked.resource.model_copy(update={"mnemonic_file": ""}))
        monkeypatch.setattr(warm_key, "on_terminal", written_down)
    commands = apply(asked)
    next(commands)

    with pytest.raises(StepError) as failed:
        commands.send(result)

    kept_where = f"{tmp_path}/words" if file else "the words you wrote down"
    assert f"not known whether the warm key warm was made: {why}" in failed.value.message
    assert failed.value.message.endswith(f"; keep {kept_where}")
    assert failed.value.hint.startswith(
        "look again in a few minutes: a key that is there then has these words"
    )


def written_down(title: str) -> Generator[Command, Result, str]:  # noqa: ARG001 (as on the terminal)
    yield from ()
    return Words.generate(256)


def test_a_file_of_somebody_else_stops_it_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "words").write_text("mine")

    with pytest.raises(StepError, match="is not this key's"):
        next(apply(step(tmp_path)))


@pytest.mark.parametrize(("service", "password"), [("other", PASSWORD), ("api", None)])
def test_what_is_missing_stops_it_before_any_words_are_made(
    tmp_path: Path, service: str, password: str | None
) -> None:
    with pytest.raises(StepError, match=r"no declared service api|keyring_password is not known"):
        next(apply(step(tmp_path, service=service, password=password)))

    assert not (tmp_path / "words").exists()


def run(do: Do, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", do.script],
        input=do.stdin,
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_key_that_is_there_is_never_touched(tmp_path: Path) -> None:
    (tmp_path / "keyring-file").mkdir()
    (tmp_path / "keyring-file/warm.info").touch()

    assert run(first(step(tmp_path))).returncode == 3


def program(tmp_path: Path, body: str) -> str:
    """A docker that does as `body` says, alone on PATH before everything else."""
    place = tmp_path / "bin"
    place.mkdir()
    (place / "docker").write_text(f"#!/bin/sh\n{body}\n")
    (place / "docker").chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def test_a_program_that_repeats_what_it_was_told_is_not_repeated(tmp_path: Path) -> None:
    do = first(step(tmp_path))

    done = run(do, program(tmp_path, "tee /dev/stderr; exit 1"))

    assert (done.returncode, done.stdout) == (1, "")
    assert "***" in done.stderr
    for secret in (kept(tmp_path), PASSWORD):
        assert secret not in done.stderr


def test_the_words_come_before_the_passphrase_twice(tmp_path: Path) -> None:
    ring = tmp_path / "keyring-file"
    body = f'printf "%s\\n" "$*" >{tmp_path}/argv; cat >{tmp_path}/stdin; mkdir {ring}; touch {ring}/{RAW}.address'
    do = first(step(tmp_path))

    done = run(do, program(tmp_path, body))

    assert done.stdout == f"{RAW}\n"
    assert Path(tmp_path / "stdin").read_text() == f"{kept(tmp_path)}\n{PASSWORD}\n{PASSWORD}\n"
    argv = (tmp_path / "argv").read_text()
    assert "run --rm --no-deps --quiet-pull -T api inferenced keys add warm --recover" in argv
    assert PASSWORD not in argv
