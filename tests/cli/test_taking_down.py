"""`cleanup` and `restart` on the command line: what is refused before a host is touched, and what is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from gonka_state.core.report import ExitStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Tiny

    Cli = Callable[..., Ran]

SERVICES = """\
      - {kind: compose-service, name: api, directory: /srv/join}
      - {kind: compose-service, name: mlnode-308, directory: /srv/join}
"""


@pytest.fixture
def serving(tiny: Tiny) -> Tiny:
    """The cluster, with two services on its first host."""
    text = (tiny.root / "tiny.yaml").read_text(encoding="utf-8")
    tiny.write(text.replace("  tiny-b:\n", f"{SERVICES}  tiny-b:\n"))
    return tiny


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--yes-destroy", "huge"), "--yes-destroy huge: the cluster in FILE is called tiny"),
        (("--json",), "--json cannot ask: add --yes-destroy NAME"),
        (("--allow", "destructive"), "'destructive' is not 'lost-reward'"),
        (("SECOND",), "one cluster at a time is taken down, and these are 2: tiny, second"),
    ],
)
def test_a_cleanup_is_refused_before_any_host_is_touched(
    cli: Cli, tiny: Tiny, words: tuple[str, ...], said: str
) -> None:
    second = tiny.root / "second.yaml"
    second.write_text((tiny.root / "tiny.yaml").read_text().replace("tiny", "second"), encoding="utf-8")

    ran = cli("cleanup", tiny.file, *(str(second) if word == "SECOND" else word for word in words))

    assert ran.status == ExitStatus.USAGE
    assert said.replace("FILE", tiny.file) in ran.err + ran.out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a service, or --all"),
        (("FILE",), "FILE is a file: name a service before it, or --all"),
        (("apu", "FILE"), "apu: no such service is declared; did you mean api?"),
        (("apu", "FILE", "--host", "b"), "no service is declared on b"),
        (("api", "FILE", "--host", "c"), "--host c: no such host"),
        (("--all", "FILE", "--json"), "--json cannot ask: add --yes"),
    ],
)
def test_a_restart_is_refused_before_any_host_is_touched(
    cli: Cli, serving: Tiny, words: tuple[str, ...], said: str
) -> None:
    ran = cli("restart", *(word.replace("FILE", serving.file) for word in words))

    assert ran.status == ExitStatus.USAGE
    assert said.replace("FILE", serving.file) in ran.err + ran.out


@pytest.mark.parametrize(
    "words", [("cleanup", "FILE"), ("restart", "api", "FILE"), ("restart", "--all", "FILE")]
)
def test_where_no_host_answers_nothing_can_be_said(
    program: Cli, serving: Tiny, words: tuple[str, ...]
) -> None:
    ran = program(*(word.replace("FILE", serving.file) for word in words))

    assert ran.status == ExitStatus.ERROR
    assert f"the SSH key {serving.root / 'key'} is not there" in ran.out
    assert "Traceback" not in ran.err


def test_a_cleanup_tells_what_stays_before_it_asks(program: Cli, tiny: Tiny) -> None:
    out = program("cleanup", tiny.file).out.splitlines()

    stays = out[out.index("stays") :]
    assert stays[1].startswith("  directory: /srv/two, /srv/three, 2 hosts  ")
    assert stays[2].startswith("  file: /etc/one  ")
    assert stays[3].strip().startswith(".inference, .tmkms, .dapi")
    assert out[-1].startswith("Plan: ")
