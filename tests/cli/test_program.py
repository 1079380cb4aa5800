"""The command line as a program: what it loads, from where it runs, how it speaks to pipes and terminals."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import shlex
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gonka_state.cli.writing import write_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Ran, Tiny

    Program = Callable[..., Ran]

INVENTORY = str(Path(__file__).parents[1] / "spec/inventories/plan.ini")
HEAVY = {"pyinfra", "gevent", "paramiko", "deepdiff"}
COLOR = re.compile(r"\x1b\[[0-9]+m")


def loaded(*arguments: str) -> set[str]:
    """Top-level packages that a command loads."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "gonka_state", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    names = re.findall(r"^import time: .*\| +(\S+)$", done.stderr, re.MULTILINE)
    assert "gonka_state.cli" in names, done.stderr[-2000:]
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("word", ["--help", "dif"])
def test_help_loads_no_ssh_stack_and_no_deepdiff(word: str) -> None:
    assert not loaded(word) & HEAVY


def test_validate_schema_and_offline_diffs_load_no_ssh_stack(tiny: Tiny) -> None:
    for arguments in (
        ("validate", tiny.file),
        ("schema",),
        ("import", INVENTORY, "--cluster=cluster1"),
        ("diff", tiny.file, f"--observed={tiny.drifted()}"),
    ):
        assert not loaded(*arguments) & {"pyinfra", "gevent", "paramiko"}, arguments


def test_help_takes_not_much_longer_than_python_itself() -> None:
    def fastest(*words: str) -> float:
        times = []
        for _ in range(3):
            started = time.monotonic()
            subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
            times.append(time.monotonic() - started)
        return min(times)

    # Measured: 4 to 7 times. What would break it, an SSH stack, is 40 times.
    assert fastest("-m", "gonka_state", "--help") < 20 * fastest("-c", "pass")


WRITERS = ("gonka_state.operations", "gonka_state.engine.hands", "gonka_state.engine.converge")


def importing(*modules: str) -> set[str]:
    """Modules that write, of those that importing these loads."""
    code = f"import sys, {', '.join(modules)}\nprint(*(name for name in sys.modules if name.startswith({WRITERS})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_what_reads_cannot_write() -> None:
    readers = (
        "drift",
        "diff",
        "observe",
        "looking",
        "validate",
        "schema",
        "import_",
        "hosts_check",
        "hosts_trust",
    )

    assert importing(*(f"gonka_state.cli.{name}" for name in readers)) == set()


def test_some_commands_write() -> None:
    for name in ("converge", "cleanup", "restart"):
        assert importing(f"gonka_state.cli.{name}") >= set(WRITERS)


def test_it_runs_from_anywhere_with_an_empty_environment(program: Program, tiny: Tiny) -> None:
    assert program("validate", tiny.file).status == 0
    assert program("diff", tiny.file, "--observed", tiny.drifted()).status == 2


@pytest.mark.parametrize("command", ["drift", "converge"])
def test_where_no_host_answers_nothing_can_be_said_and_nobody_is_asked(
    program: Program, tiny: Tiny, command: str
) -> None:
    ran = program(command, tiny.file)

    assert ran.status == 1
    assert f"the SSH key {tiny.root / 'key'} is not there" in ran.out
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_host_that_accepts_and_says_nothing_can_be_interrupted(tiny: Tiny, number: signal.Signals) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tiny.root / "key")], check=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        tiny.write(
            (tiny.root / "tiny.yaml").read_text(encoding="utf-8").replace("port: 1}", f"port: {port}}}")
        )
        process = subprocess.Popen(
            [sys.executable, "-m", "gonka_state", "diff", tiny.file, "--host", "tiny-a"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A runner in the background hands down ignored signals.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),  # noqa: PLW1509 (no threads here)
        )
        server.settimeout(30)
        connection, _ = server.accept()
        with connection:
            process.send_signal(number)
            out, err = process.communicate(timeout=30)

    assert process.returncode == 130
    assert out == ""
    # click's empty line closes the ^C that a terminal echoes.
    assert err == "\ninterrupted; run the same command again, it continues from what is true\n"


IN_A_THREAD = """
from gevent import monkey
monkey.patch_all()
import os, signal, threading, time
from gonka_state.__main__ import _as_interrupts
_as_interrupts(signal.SIGINT, signal.SIGTERM)
def busy():
    os.kill(os.getpid(), signal.NUMBER)
    for _ in range(1000000): pass
try:
    threading.Thread(target=busy, daemon=True).start()
    time.sleep(30)
except KeyboardInterrupt:
    print("ended")
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_that_finds_a_thread_ends_the_program_and_not_the_thread(name: str) -> None:
    """Paramiko's connections are threads, and a thread keeps what is raised in it to itself."""
    program = IN_A_THREAD.replace("NUMBER", name)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.stdout, done.stderr) == ("ended\n", "")


def test_a_reader_that_goes_away_leaves_no_traceback_and_no_success(tiny: Tiny) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "gonka_state", "diff", tiny.file, "--observed", tiny.drifted()],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (1, "")


def test_an_encoding_without_arrows_shows_what_it_can(tiny: Tiny) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gonka_state", "diff", tiny.file, "--observed", tiny.drifted()],
        stdout=subprocess.PIPE,
        env={"PYTHONIOENCODING": "latin-1:strict"},
        check=False,
        timeout=60,
    )

    assert done.returncode == 2
    assert b"\\u2192" in done.stdout


def on_terminal(*arguments: str, columns: int = 80, env: dict[str, str] | None = None) -> str:
    """What a command draws on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in {"NO_COLOR", "FORCE_COLOR", "COLUMNS"}
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gonka_state", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.DEVNULL,
        env={**clean, **(env or {})},
    )
    os.close(theirs)
    drawn = b""
    try:
        while chunk := os.read(ours, 4096):
            drawn += chunk
    except OSError:
        # Linux says so when the other side has closed a terminal.
        pass
    finally:
        os.close(ours)
    process.wait(timeout=30)
    return drawn.decode().replace("\r\n", "\n")


def test_colour_is_for_terminals_that_want_it(cli: Program, tiny: Tiny) -> None:
    arguments = ("diff", tiny.file, "--observed", tiny.drifted())

    assert COLOR.search(on_terminal(*arguments))
    assert not COLOR.search(on_terminal(*arguments, env={"NO_COLOR": "1"}))
    assert not COLOR.search(on_terminal(*arguments, "--color", "never"))
    assert not COLOR.search(cli(*arguments).out)
    assert COLOR.search(cli(*arguments, "--color", "always").out)


def test_on_80_columns_no_line_of_the_plan_is_broken(tiny: Tiny) -> None:
    drawn = COLOR.sub("", on_terminal("diff", tiny.file, "--observed", tiny.drifted()))

    assert max(map(len, drawn.splitlines())) <= 80
    assert "file:/etc/one" in drawn
    assert drawn.splitlines()[-1].startswith("Plan: ")


def test_what_is_written_to_a_pipe_is_never_cut(cli: Program, tiny: Tiny) -> None:
    long = "/srv/" + "x" * 150
    text = (tiny.root / "tiny.yaml").read_text(encoding="utf-8")
    tiny.write(text.replace("/srv/three", long))
    snapshot = tiny.snapshot("long.json", tiny_b={f"stat {long}": "directory|700|root|root|0"})

    assert long in cli("diff", tiny.file, "--observed", snapshot).out


def test_needs_in_a_circle_are_refused_before_any_host_is_touched(cli: Program, tiny: Tiny) -> None:
    overlay = tiny.root / "circle.yaml"
    files = (
        f"{{kind: file, name: /{one}, content: x, needs: ['file:/{other}']}}" for one, other in ("ab", "ba")
    )
    lines = ["cluster: tiny", "hosts:", "  tiny-a:", "    resources:", *(f"      - {line}" for line in files)]
    overlay.write_text("\n".join(lines), encoding="utf-8")

    ran = cli("validate", tiny.file, "--overlay", str(overlay))

    circle = "tiny-a/file:/a needs tiny-a/file:/b needs tiny-a/file:/a"
    assert (ran.status, ran.err.splitlines()[0]) == (4, f"error: {overlay}:5: needs go in a circle: {circle}")


def test_validate_tells_programs_too(cli: Program, tiny: Tiny) -> None:
    ran = cli("validate", tiny.file, "--json")

    (found,) = json.loads(ran.out)["clusters"]
    assert (ran.status, found["cluster"], found["hosts"], found["missing"]) == (0, "tiny", 2, [])


def test_a_full_disk_is_no_bug(tiny: Tiny) -> None:
    with Path("/dev/full").open("w") as full:
        for words in (
            ("diff", tiny.file, "--observed", tiny.drifted()),
            ("--help",),
            ("validate", tiny.file),
        ):
            done = subprocess.run(
                [sys.executable, "-m", "gonka_state", *words],
                stdout=full,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
            said = "error: output cannot be written: No space left on device\n"
            assert (done.returncode, done.stderr) == (1, said), words


def test_without_standard_output_the_status_still_tells(tiny: Tiny) -> None:
    command = shlex.join(
        [sys.executable, "-m", "gonka_state", "diff", tiny.file, "--observed", tiny.drifted()]
    )

    done = subprocess.run(["sh", "-c", f"{command} >&- 2>&-"], check=False)

    assert done.returncode == 2


def test_a_link_stays_one_and_into_a_pipe_it_is_written(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "target", tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(target)
    os.mkfifo(pipe)
    write_file(link, "text")
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_file(pipe, "text")
        assert os.read(reading, 10) == b"text"
    finally:
        os.close(reading)

    assert (link.readlink(), target.read_text(encoding="utf-8")) == (target, "text")
    assert pipe.is_fifo()
