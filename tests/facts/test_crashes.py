"""How containers end: the section's flow in a real shell over a docker that says what it is told; e2e asks the real one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gonka_state.errors import FactError
from gonka_state.facts import crashes
from gonka_state.facts.snapshot import Answer, HostLook
from tests.facts.conftest import run_body

INSPECTED = (
    "aaa\t/node\tnode\trunning\t0\tfalse\t0\t2026-11-20T10:00:00.123456789Z",
    "bbb\t/join-mlnode-308-1\tmlnode-308\trestarting\t137\ttrue\t7\t0001-01-01T00:00:00Z",
    "ccc\t/somebodys\t<no value>\texited\t1\tfalse\t0\t2026-11-20T10:00:00Z",
)
STARTED = 1795168800.123456
LOGS = {
    "aaa": 'ERR err="no validator signing info found" password=Correct-Horse-9\nERR err="no validator signing info found"',
    "bbb": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
    "ccc": "wrong Block.Header.AppHash",
}
_DOCKER = r"""#!/bin/sh
cd "$(dirname "$0")"
case "$1 $2" in
  'info '*) echo 28.4.0 ;;
  'ps '*) printf 'aaa\nbbb\nccc\n' ;;
  'inspect '*) case $* in *State.Error*) ;; *) cat inspected ;; esac ;;
  'stats '*) printf 'node\t1.5GiB / 3GiB\t50.00%%\nsomebodys\t--\t--\n' ;;
  'logs '*) for last in "$@"; do :; done; echo "$*" >>asked; cat "log-$last" ;;
esac
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker with three containers, one of which is nobody's project."""
    place = tmp_path / "docker bin"
    place.mkdir()
    (place / "docker").write_text(_DOCKER)
    (place / "docker").chmod(0o755)
    (place / "inspected").write_text("".join(f"{line}\n" for line in INSPECTED))
    for name, text in LOGS.items():
        (place / f"log-{name}").write_text(f"{text}\n")
    monkeypatch.setenv("PATH", f"{place}:{os.environ['PATH']}")
    return place


def test_every_container_of_compose_tells_its_end_and_what_is_known_of_its_words(docker: Path) -> None:
    text = run_body(crashes.script())
    found = crashes.parse(text)

    node, mlnode = found.containers
    assert (node.name, node.status, node.memory, node.share) == ("node", "running", "1.5GiB", 0.5)
    assert abs(time.time() - STARTED - node.age) < 60
    assert node.said == {"signing-info": {"no validator signing info found": 2}}
    assert (mlnode.service, mlnode.exit, mlnode.killed_for_memory, mlnode.restarts) == (
        "mlnode-308",
        137,
        True,
        7,
    )
    assert mlnode.said == {"gpu-memory": {"torch.OutOfMemoryError": 1, "CUDA out of memory": 1}}
    assert "Correct-Horse-9" not in text
    assert "2.00 GiB" not in text
    assert "AppHash" not in text
    running, ended = (docker / "asked").read_text().splitlines()
    assert (running, ended) == ("logs --since 15m --tail 2000 aaa", "logs --tail 2000 bbb")


def test_a_log_that_cannot_be_read_is_not_an_empty_one(docker: Path) -> None:
    (docker / "log-aaa").unlink()

    node, mlnode = crashes.parse(run_body(crashes.script())).containers

    assert node.said is None
    assert mlnode.said


def test_without_docker_that_is_the_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "awk",
        "cat",
        "cut",
        "date",
        "grep",
        "head",
        "id",
        "sh",
        "sort",
        "tail",
        "timeout",
        "tr",
        "uniq",
        "sed",
    ):
        found = next(p for p in ("/usr/bin", "/bin") if Path(f"{p}/{name}").exists())
        (tmp_path / name).symlink_to(f"{found}/{name}")
    body = f"PATH={tmp_path}\n{crashes.script()}"
    monkeypatch.delenv("PATH", raising=False)
    assert crashes.parse(run_body(body)).problem == "docker is not installed"


@given(st.text())
def test_any_answer_is_understood_or_refused(text: str) -> None:
    names = ("engine", "daemon", "containers", "clock", "memory", "said node", "end")
    framed = "".join(f"#@x part {name}\n{text}\n\n#@x rc 0 \n" for name in names)
    for answer in (text, framed):
        said = crashes.read(HostLook({crashes.SECTION: Answer(answer)}))
        assert isinstance(said, crashes.Crashes | str)


def test_what_was_cut_short_is_no_answer(docker: Path) -> None:  # noqa: ARG001 (it is asked)
    text = run_body(crashes.script())

    for cut in ("part containers", "part clock", "part said join", "part end"):
        with pytest.raises(FactError, match="cut short"):
            crashes.parse(text[: text.index(cut)])
