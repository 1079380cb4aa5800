"""Registering: once, after a look, with the real command line against a seed node that really answers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gonka_state.core.bech32 import account_address
from gonka_state.core.change import Action
from gonka_state.core.desired import Timeouts
from gonka_state.errors import StepError
from gonka_state.facts.here import Here
from gonka_state.lab.standins import web
from gonka_state.lab.standins.ledger import write
from gonka_state.lab.standins.seed import Seed
from gonka_state.operations import registration
from gonka_state.operations.base import Do, Pause, Result, Say, Step
from gonka_state.operations.registration import apply
from gonka_state.resources.compose_service import ComposeServiceResource
from gonka_state.resources.registration import RegistrationResource
from tests.operations.hands import run_do, step_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBKEY = "Anm+Zn753LusVaBilc6HCwcCm/zbLc4o2VnygVsW+BeY"
COLD = account_address(PUBKEY)
URL = "http://203.0.113.12:8000"
ROOT = Path(__file__).parents[2]

# What compose does with `run … api inferenced …`: the program, in this machine's own container.
DOCKER = f"""#!/bin/sh
case $1 in
  inspect) echo 'Error: No such container: node' >&2; exit 1 ;;
  compose) printf '%s\\n' "$*" >> "$0.log" ;;
esac
while [ "$1" != inferenced ]; do shift || exit 1; done; shift
export PYTHONPATH={ROOT}
exec {sys.executable} -m gonka_state.lab.standins.inferenced "$@" --consensus-key KEY=
"""


class Place:
    """A host with compose, and the seed it registers with."""

    def __init__(self, path: Path) -> None:
        self.state, self.docker = path / "seed.json", path / "bin/docker"
        write(self.state, {"block_seconds": 0.001})
        self.seed = Seed(self.state)
        self.server = web.serve(0, self.seed.answer)
        self.docker.parent.mkdir()
        self.docker.write_text(DOCKER)
        self.docker.chmod(0o755)

    @property
    def ran(self) -> list[str]:
        """What compose was told."""
        log = Path(f"{self.docker}.log")
        return log.read_text().splitlines() if log.exists() else []

    def step(self, **words: Any) -> Step[RegistrationResource]:  # noqa: ANN401 (as in YAML)
        """The change that registers the account."""
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        given: dict[str, Any] = {"directory": "/j", "seed_api": url, "seed_rpc": f"{url}/chain-rpc/", "key_name": "cold"}  # fmt: skip
        wish = RegistrationResource(name=COLD, url=URL, pubkey=PUBKEY, **given)
        service = ComposeServiceResource(name="api", directory="/j", env_file="config.env")
        made = step_of(wish, words.pop("action", Action.CREATE))
        declared = words.pop("declared", (service,))
        here = Here("h", {}, declared=declared)
        return Step(made.change, wish, made.observation, here, Timeouts(**words))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(tmp_path)
    monkeypatch.setenv("PATH", f"{place.docker.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(registration, "POLL", 0.01)
    yield place
    place.server.shutdown()
    place.server.server_close()


def carried_out(step: Step[RegistrationResource], *, lost: int = 0) -> list[str]:
    """Run it; what it told. With `lost` the answer of the registration is that status, whatever it did."""
    said: list[str] = []
    commands, result = apply(step), Result(0)
    command = next(commands)
    try:
        while True:
            if isinstance(command, Do):
                result = run_do(command)
                if lost and command.about.startswith("register "):
                    result = Result(lost)
            elif isinstance(command, Say):
                said.append(command.text)
            else:
                assert isinstance(command, Pause)
            command = commands.send(result)
    except StopIteration:
        return said


def test_it_registers_once_and_without_a_passphrase(place: Place) -> None:
    said = carried_out(place.step())
    again = carried_out(place.step())

    assert said == [f"{COLD} is registered with {URL}"]
    assert again == [f"{COLD} is registered already"]
    (ran,) = place.ran
    words = ran.split(" run ")[1]
    assert words == (
        "--rm --no-deps --quiet-pull -T api inferenced register-new-participant"
        f" {URL} {PUBKEY} --node-address http://127.0.0.1:{place.server.server_address[1]}"
    )
    known = place.seed.ledger().participants()[COLD]
    assert (known["url"], known["validator_key"]) == (URL, "KEY=")


def test_an_account_that_exists_since_the_look_is_left_alone(place: Place) -> None:
    write(place.state, {"accounts": {COLD: {}}})

    with pytest.raises(StepError, match="exists since the look") as failed:
        carried_out(place.step())

    assert "submit-new-participant" in failed.value.hint
    assert place.ran == []


@pytest.mark.parametrize("state", [{"fail": "500"}, {"fail": "garbage"}])
def test_what_is_not_known_for_certain_is_not_registered(place: Place, state: dict[str, str]) -> None:
    write(place.state, state)

    with pytest.raises(StepError, match="nothing was registered"):
        carried_out(place.step())

    assert place.ran == []


def test_what_is_registered_is_never_changed(place: Place) -> None:
    with pytest.raises(StepError, match="nothing was registered"):
        carried_out(place.step(action=Action.UPDATE))


def test_a_refusal_is_told_in_the_seeds_words(place: Place) -> None:
    # Nothing to be seen before, and everything refused: somebody else's registration is on its way.
    place.docker.write_text(DOCKER.replace("exec", "echo 'server returned status 500: no' >&2; exit 1; exec"))

    with pytest.raises(StepError, match="was not registered: server returned status 500: no"):
        carried_out(place.step())


@pytest.mark.parametrize("status", [255, 124])
def test_a_lost_answer_is_no_refusal(place: Place, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    monkeypatch.setattr(registration, "TELL", 0)
    write(place.state, {"block_seconds": 1})

    *waited, last = carried_out(place.step(), lost=status)

    assert last == f"{COLD} is registered with {URL}"
    assert all(line.startswith("not finished in time; not in a block yet") for line in waited)


def test_what_is_not_known_to_be_sent_is_not_called_refused(place: Place) -> None:
    place.docker.write_text(DOCKER.replace("exec", "exit 0; exec"))

    with pytest.raises(StepError, match="not known whether the seed node took the registration") as failed:
        carried_out(place.step(registration=0), lost=255)

    assert "look again later" in failed.value.hint


def test_what_the_chain_does_not_show_in_time_is_a_failure_that_says_so(place: Place) -> None:
    place.docker.write_text(DOCKER.replace("exec", "exit 0; exec"))

    with pytest.raises(StepError, match="the chain does not show it"):
        carried_out(place.step(registration=0))


def test_a_service_that_nobody_declared_registers_nothing(place: Place) -> None:
    with pytest.raises(StepError, match="no declared service api"):
        carried_out(place.step(declared=()))

    assert json.loads(place.state.read_text())["accounts"] == {}
